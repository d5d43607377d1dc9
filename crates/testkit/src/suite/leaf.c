// The process that a case of a suite runs in, and each of its ancestors: it makes the system calls that the runner
// asks for, in its own name. All knowledge of the format is in the runner.
//
// Requests come on standard input, replies leave on standard output: a length of 4 bytes (little endian), then the
// body. A request's body is a letter and its fields; integers have 8 bytes, texts a length of 4 bytes and the bytes,
// lists a count of 4 bytes and the texts. A reply's body is 'R' and the fields, or 'E' and a wait status when a process
// that was spawned with 'N' has ended.
//
//   'C' number, count of arguments (1 byte), arguments   make a system call; an argument is a kind (1 byte): 0 and an
//                                                        integer, 1 and the bytes of a buffer, 2 and the bytes of a
//                                                        buffer that is sent back; reply: result or -errno, buffers
//   'N' path, argv, env, 1 byte                          spawn the next process, which takes over the requests until it
//                                                        ends; the byte tells whether root has no special rights
//   'L'                                                  become the leaf: free the standard descriptors; reply: pid
//   'K' path, argv, env, 1 byte                          spawn a process that waits until this one ends; the byte tells
//                                                        whether its program is read from memory; reply: pid or -errno
//   'B' shell, text                                      begin a script; reply: -1 when it waits between its two halves,
//                                                        else its wait status; what it printed
//   'F'                                                  let the script go on; reply as for 'B'
//   'X' code                                             exit
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST_REQUEST = 64 << 20, LARGEST_OUTPUT = 16 << 10, MOST_ARGUMENTS = 6, SECBIT_NOROOT_ONLY = 1 };

// What the script prints between its halves; the runner writes the same bytes into the script's text.
static const char BETWEEN[] = "\036suite between halves\036";

static int requests = 0, replies = 1;
static unsigned char *request;
static size_t request_length, request_at;
static unsigned char *reply;
static size_t reply_length, reply_room;
static pid_t script = -1;
static int script_input = -1, script_output = -1;

static void write_all(int fd, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(0);
        bytes += written;
        length -= (size_t)written;
    }
}

// Ends the process when there is no more input: then the runner is gone.
static void read_all(int fd, unsigned char *bytes, size_t length) {
    while (length > 0) {
        ssize_t got = read(fd, bytes, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            _exit(0);
        bytes += got;
        length -= (size_t)got;
    }
}

static void put(const void *bytes, size_t length) {
    if (reply_length + length > reply_room) {
        reply_room = (reply_length + length) * 2;
        reply = realloc(reply, reply_room);
        if (!reply)
            _exit(70);
    }
    memcpy(reply + reply_length, bytes, length);
    reply_length += length;
}

static void begin_reply(char kind) {
    reply_length = 0;
    put(&kind, 1);
}

static void put_integer(int64_t value) { put(&value, sizeof value); }

static void put_bytes(const void *bytes, size_t length) {
    uint32_t size = (uint32_t)length;
    put(&size, sizeof size);
    put(bytes, length);
}

static void send_reply(void) {
    uint32_t size = (uint32_t)reply_length;
    write_all(replies, (unsigned char *)&size, sizeof size);
    write_all(replies, reply, reply_length);
}

static void take(void *into, size_t length) {
    if (request_length - request_at < length)
        _exit(71);
    memcpy(into, request + request_at, length);
    request_at += length;
}

static unsigned char take_byte(void) {
    unsigned char value;
    take(&value, 1);
    return value;
}

static int64_t take_integer(void) {
    int64_t value;
    take(&value, sizeof value);
    return value;
}

// Bytes of a text and a zero after them, so that a text is a string.
static unsigned char *take_bytes(size_t *length) {
    uint32_t size;
    take(&size, sizeof size);
    if (request_length - request_at < size)
        _exit(71);
    unsigned char *bytes = malloc((size_t)size + 1);
    if (!bytes)
        _exit(70);
    memcpy(bytes, request + request_at, size);
    bytes[size] = 0;
    request_at += size;
    if (length)
        *length = size;
    return bytes;
}

static char *take_text(void) { return (char *)take_bytes(NULL); }

static char **take_list(void) {
    uint32_t count;
    take(&count, sizeof count);
    if (request_length - request_at < (size_t)count * 4)
        _exit(71);
    char **list = calloc((size_t)count + 1, sizeof *list);
    if (!list)
        _exit(70);
    for (uint32_t i = 0; i < count; i++)
        list[i] = take_text();
    return list;
}

static void call(void) {
    long number = (long)take_integer();
    unsigned count = take_byte();
    long arguments[MOST_ARGUMENTS] = {0};
    unsigned char *buffers[MOST_ARGUMENTS] = {0};
    size_t sizes[MOST_ARGUMENTS] = {0};
    int wanted[MOST_ARGUMENTS] = {0};
    if (count > MOST_ARGUMENTS)
        _exit(71);
    for (unsigned i = 0; i < count; i++) {
        unsigned char kind = take_byte();
        if (kind == 0) {
            arguments[i] = (long)take_integer();
        } else {
            buffers[i] = take_bytes(&sizes[i]);
            arguments[i] = (long)buffers[i];
            wanted[i] = kind == 2;
        }
    }
    long result =
        syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    if (result == -1)
        result = -errno;
    begin_reply('R');
    put_integer(result);
    for (unsigned i = 0; i < count; i++) {
        if (wanted[i])
            put_bytes(buffers[i], sizes[i]);
        free(buffers[i]);
    }
    send_reply();
}

// Tells through a pipe that exec closes whether the child runs its program: 0, else errno.
static int exec_result(int fd) {
    int error = 0;
    ssize_t got;
    do
        got = read(fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(fd);
    return got == (ssize_t)sizeof error ? error : 0;
}

static void next(void) {
    char *path = take_text();
    char **argv = take_list();
    char **env = take_list();
    int plain_root = take_byte();
    int result[2];
    begin_reply('R');
    if (pipe2(result, O_CLOEXEC) < 0) {
        put_integer(-errno);
        send_reply();
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        if (!plain_root || prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_ONLY) == 0)
            execve(path, argv, env);
        int error = errno;
        write_all(result[1], (unsigned char *)&error, sizeof error);
        _exit(72);
    }
    int forked = errno;
    close(result[1]);
    int error = child < 0 ? forked : exec_result(result[0]);
    put_integer(error ? -error : child);
    send_reply();
    int status = 0;
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    if (error)
        return;
    begin_reply('E');
    put_integer(status);
    send_reply();
}

static void leaf(void) {
    int lowest = 900;
    int in = fcntl(0, F_DUPFD_CLOEXEC, lowest);
    if (in < 0) {
        lowest = 200;
        in = fcntl(0, F_DUPFD_CLOEXEC, lowest);
    }
    int out = fcntl(1, F_DUPFD_CLOEXEC, lowest);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    begin_reply('R');
    if (in < 0 || out < 0 || nothing < 0) {
        put_integer(-errno);
    } else {
        dup2(nothing, 0);
        close(nothing);
        dup2(2, 1);
        requests = in;
        replies = out;
        put_integer(getpid());
    }
    send_reply();
}

// A copy of the running program in memory; -1 with errno when that cannot be made.
static int program_in_memory(const char *name) {
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return -1;
    int memory = memfd_create(name, MFD_CLOEXEC);
    unsigned char block[65536];
    ssize_t got = 0;
    while (memory >= 0 && (got = read(from, block, sizeof block)) > 0)
        write_all(memory, block, (size_t)got);
    int error = errno;
    close(from);
    if (got < 0) {
        errno = error;
        return -1;
    }
    return memory;
}

static void resource(void) {
    char *path = take_text();
    char **argv = take_list();
    char **env = take_list();
    int from_memory = take_byte();
    int result[2], input[2];
    int memory = -1;
    char memory_path[64] = "/proc/self/fd/";
    begin_reply('R');
    if (from_memory) {
        memory = program_in_memory(path);
        if (memory < 0) {
            put_integer(-errno);
            send_reply();
            return;
        }
        char digits[16];
        int length = 0, value = memory;
        do
            digits[length++] = (char)('0' + value % 10);
        while ((value /= 10) > 0);
        size_t at = strlen(memory_path);
        while (length > 0)
            memory_path[at++] = digits[--length];
        memory_path[at] = 0;
    }
    // The write end stays open for as long as this process lives: the other waits for a request that never comes.
    if (pipe2(result, O_CLOEXEC) < 0 || pipe2(input, O_CLOEXEC) < 0) {
        put_integer(-errno);
        send_reply();
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(input[0], 0);
        execve(from_memory ? memory_path : path, argv, env);
        int error = errno;
        write_all(result[1], (unsigned char *)&error, sizeof error);
        _exit(72);
    }
    int forked = errno;
    close(result[1]);
    close(input[0]);
    int error = child < 0 ? forked : exec_result(result[0]);
    if (memory >= 0)
        close(memory);
    if (error && child > 0)
        waitpid(child, NULL, 0);
    put_integer(error ? -error : child);
    send_reply();
}

// Reads what the script prints until it waits or has ended, and replies.
static void follow_script(void) {
    static unsigned char output[LARGEST_OUTPUT];
    size_t length = 0;
    int64_t result = -2;
    while (result == -2) {
        struct pollfd event = {.fd = script_output, .events = POLLIN};
        int ready = poll(&event, 1, 50);
        ssize_t got = 0;
        if (ready > 0) {
            unsigned char block[4096];
            got = read(script_output, block, sizeof block);
            for (ssize_t i = 0; i < got; i++) {
                if (length == sizeof output) {
                    memmove(output, output + sizeof output / 2, sizeof output / 2);
                    length = sizeof output / 2;
                }
                output[length++] = block[i];
            }
            size_t mark = sizeof BETWEEN - 1;
            // What runs in the background may print right after it.
            unsigned char *found = memmem(output, length, BETWEEN, mark);
            if (found) {
                size_t after = (size_t)(output + length - found) - mark;
                memmove(found, found + mark, after);
                length -= mark;
                result = -1;
            }
        }
        if (result == -2 && got <= 0) {
            int status;
            pid_t ended = waitpid(script, &status, WNOHANG);
            if (ended == script)
                result = status;
            else if (ended < 0)
                result = 0;
            else if (ready > 0)
                poll(NULL, 0, 10);
        }
    }
    if (result != -1) {
        // What it left in the background must not outlive the case.
        kill(-script, SIGKILL);
        script = -1;
        close(script_input);
        close(script_output);
    }
    begin_reply('R');
    put_integer(result);
    put_bytes(output, length);
    send_reply();
}

static void begin_script(void) {
    char *shell = take_text();
    char *text = take_text();
    char *argv[] = {"bash", "-c", text, NULL};
    int input[2], output[2];
    begin_reply('R');
    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || (script = fork()) < 0) {
        put_integer(127 << 8);
        put_bytes("cannot start the script", 23);
        send_reply();
        return;
    }
    if (script == 0) {
        setpgid(0, 0);
        dup2(input[0], 0);
        dup2(output[1], 1);
        dup2(output[1], 2);
        // Scripts have root's usual rights again where that may be set.
        prctl(PR_SET_SECUREBITS, 0);
        execv(shell, argv);
        static const char missing[] = "there is no shell for the script";
        write_all(2, (const unsigned char *)missing, sizeof missing - 1);
        _exit(127);
    }
    setpgid(script, script);
    close(input[0]);
    close(output[1]);
    script_input = input[1];
    script_output = output[0];
    follow_script();
}

static void finish_script(void) {
    if (script < 0) {
        begin_reply('R');
        put_integer(0);
        put_bytes("", 0);
        send_reply();
        return;
    }
    static const unsigned char newline = '\n';
    signal(SIGPIPE, SIG_IGN);
    ssize_t ignored = write(script_input, &newline, 1);
    (void)ignored;
    signal(SIGPIPE, SIG_DFL);
    follow_script();
}

int main(void) {
    umask(022);
    for (;;) {
        uint32_t size;
        read_all(requests, (unsigned char *)&size, sizeof size);
        if (size == 0 || size > LARGEST_REQUEST)
            return 71;
        free(request);
        request = malloc(size);
        if (!request)
            return 70;
        request_length = size;
        request_at = 0;
        read_all(requests, request, size);
        switch (take_byte()) {
        case 'C':
            call();
            break;
        case 'N':
            next();
            break;
        case 'L':
            leaf();
            break;
        case 'K':
            resource();
            break;
        case 'B':
            begin_script();
            break;
        case 'F':
            finish_script();
            break;
        case 'X':
            return (int)take_integer();
        default:
            return 71;
        }
    }
}
