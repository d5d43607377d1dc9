/* Makes a known number of kernel events, to see what watching costs and whether anything is lost.
 *
 * usage: load open SECONDS PER_SECOND PATH    opens, and closes, PATH for reading; PER_SECOND 0 is as fast as it goes
 *        load files SECONDS                   opens, reads and closes /etc/hostname, as fast as it goes
 *        load exec SECONDS PROGRAM            forks and executes PROGRAM, waits for it, as fast as it goes
 *        load idle COUNT                      COUNT sleeping processes, until standard input ends
 * Prints how many rounds were made. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void sleep_until(double when)
{
    double rest = when - now();
    if (rest <= 0)
        return;
    struct timespec time = { (time_t)rest, (long)((rest - (time_t)rest) * 1e9) };
    nanosleep(&time, NULL);
}

static long opens(double seconds, double rate, const char *path, int reads)
{
    char buffer[64];
    double start = now(), end = start + seconds;
    long made = 0;
    for (;;) {
        double time = now();
        if (time >= end)
            return made;
        /* A hundredth of a second at a time, so that a slow start is made up for, and the rate holds on the whole. */
        long due = rate > 0 ? (long)((time - start + 0.01) * rate) : made + 1000;
        for (; made < due; made++) {
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd < 0) {
                perror(path);
                exit(1);
            }
            if (reads && read(fd, buffer, sizeof buffer) < 0)
                perror("read");
            close(fd);
        }
        if (rate > 0)
            sleep_until(start + made / rate);
    }
}

static long executions(double seconds, char *program)
{
    char *arguments[] = { program, NULL }, *environment[] = { NULL };
    double end = now() + seconds;
    long made = 0;
    for (; now() < end; made++) {
        pid_t child = fork();
        if (child == 0) {
            execve(program, arguments, environment);
            _exit(127);
        }
        if (child < 0) {
            perror("fork");
            exit(1);
        }
        waitpid(child, NULL, 0);
    }
    return made;
}

static long idle(long count)
{
    char byte;
    for (long i = 0; i < count; i++)
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
    puts("ready");
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    return count;
}

int main(int count, char **arguments)
{
    long made;
    if (count == 5 && !strcmp(arguments[1], "open"))
        made = opens(atof(arguments[2]), atof(arguments[3]), arguments[4], 0);
    else if (count == 3 && !strcmp(arguments[1], "files"))
        made = opens(atof(arguments[2]), 0, "/etc/hostname", 1);
    else if (count == 4 && !strcmp(arguments[1], "exec"))
        made = executions(atof(arguments[2]), arguments[3]);
    else if (count == 3 && !strcmp(arguments[1], "idle"))
        made = idle(atol(arguments[2]));
    else
        return fprintf(stderr, "usage: see the first lines of load.c\n"), 2;
    printf("%ld\n", made);
    return 0;
}
