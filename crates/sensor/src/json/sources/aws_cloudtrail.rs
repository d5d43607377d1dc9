//! Events of AWS CloudTrail.

use super::{Source, moment, text_at};
use crate::json::{Json, JsonEvent};
use model::Meta;
use model::event::{Argument, Field, Value};

/// The member.
pub(super) static AWS_CLOUDTRAIL: AwsCloudtrail = AwsCloudtrail;

pub(super) struct AwsCloudtrail;

static META: Meta = Meta {
    name: "aws-cloudtrail",
    title: "Events of AWS CloudTrail, for rules with `source: aws_cloudtrail`",
    finds: &[
        "events one by one, in lists, and in the `Records` of CloudTrail's files",
        "fields `ct.*`, `s3.*`, `ec2.*` and `ecr.*`",
    ],
    needs: &[],
    references: &[
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
    ],
};

impl Source for AwsCloudtrail {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn name(&self) -> &'static str {
        "aws_cloudtrail"
    }

    fn plugin(&self) -> &'static str {
        "cloudtrail"
    }

    fn time(&self, event: &Json) -> Option<u64> {
        moment(event.get("eventTime"))
    }

    fn value<'a>(&self, event: &'a JsonEvent, field: Field, _argument: &Argument) -> Value<'a> {
        let json = event.json();
        if let Some(keys) = place(field) {
            return json.at(keys).map_or(Value::Absent, string);
        }
        match field {
            // These are objects, given as JSON.
            Field::CtResponse => text_at(event, &["responseElements"]),
            Field::CtRequest => text_at(event, &["requestParameters"]),
            Field::CtAdditionaleventdata => text_at(event, &["additionalEventData"]),
            Field::CtServiceeventdetails => text_at(event, &["serviceEventDetails"]),
            Field::CtEdgedevicedetails => text_at(event, &["edgeDeviceDetails"]),
            Field::CtAddendumUpdatedfields => text_at(event, &["addendum", "updatedFields"]),
            Field::CtResources => match json.get("resources").and_then(Json::as_array) {
                Some(list) if !list.is_empty() => {
                    let texts: Vec<_> = list.iter().map(Json::text).collect();
                    Value::owned_text(texts.join(","))
                }
                _ => Value::Absent,
            },
            Field::CtShortsrc => match json.get("eventSource") {
                Some(source) => match source.as_str() {
                    Some(text) => Value::text(
                        text.strip_suffix(".amazonaws.com")
                            .filter(|short| !short.is_empty())
                            .unwrap_or(text)
                            .as_bytes(),
                    ),
                    None => Value::text(b""),
                },
                None => Value::Absent,
            },
            Field::CtUser => user(json).map_or(Value::Absent, |user| Value::text(user.as_bytes())),
            Field::CtUserAccountid => json
                .at(&["userIdentity", "accountId"])
                .or_else(|| json.get("recipientAccountId"))
                .map_or(Value::Absent, string),
            Field::CtInfo => Value::owned_text(info(json)),
            Field::CtManagementevent => flag(json.get("managementEvent")),
            Field::CtSessioncredentialfromconsole => flag(json.get("sessionCredentialFromConsole")),
            Field::CtReadonly => read_only(json),
            Field::S3Uri => {
                let part = |key| json.at(&["requestParameters", key]).and_then(Json::as_str);
                match (part("bucketName"), part("key")) {
                    (Some(bucket), Some(key)) => Value::owned_text(format!("s3://{bucket}/{key}")),
                    _ => Value::Absent,
                }
            }
            Field::S3Bytes => transferred(json, &["bytesTransferredIn", "bytesTransferredOut"]),
            Field::S3BytesIn => transferred(json, &["bytesTransferredIn"]),
            Field::S3BytesOut => transferred(json, &["bytesTransferredOut"]),
            Field::S3CntGet => counted(name(json) == Some("GetObject")),
            Field::S3CntPut => counted(name(json) == Some("PutObject")),
            Field::S3CntOther => counted(!matches!(name(json), Some("GetObject" | "PutObject"))),
            Field::Ec2Name => instance_name(json).map_or(Value::Absent, |name| Value::text(name.as_bytes())),
            Field::Ec2Imageid => json
                .at(&["responseElements", "tagSpecificationSet", "items", "0", "imageId"])
                .or_else(|| json.at(&["responseElements", "instancesSet", "items", "0", "imageId"]))
                .and_then(Json::as_str)
                .filter(|id| !id.is_empty())
                .map_or(Value::Absent, |id| Value::text(id.as_bytes())),
            _ => Value::Absent,
        }
    }

    fn summary<'a>(&self, event: &'a JsonEvent) -> Value<'a> {
        Value::owned_text(info(event.json()))
    }
}

/// Fields that are the string at one place.
fn place(field: Field) -> Option<&'static [&'static str]> {
    Some(match field {
        Field::CtId => &["eventID"],
        Field::CtError => &["errorCode"],
        Field::CtErrormessage => &["errorMessage"],
        Field::CtTime => &["eventTime"],
        Field::CtSrc => &["eventSource"],
        Field::CtName => &["eventName"],
        Field::CtUserIdentitytype => &["userIdentity", "type"],
        Field::CtUserPrincipalid => &["userIdentity", "principalId"],
        Field::CtUserArn => &["userIdentity", "arn"],
        Field::CtRegion => &["awsRegion"],
        Field::CtResponseSubnetid => &["responseElements", "subnetId"],
        Field::CtResponseReservationid => &["responseElements", "reservationId"],
        Field::CtRequestAvailabilityzone => &["requestParameters", "availabilityZone"],
        Field::CtRequestCluster => &["requestParameters", "cluster"],
        Field::CtRequestFunctionname => &["requestParameters", "functionName"],
        Field::CtRequestGroupname => &["requestParameters", "groupName"],
        Field::CtRequestHost => &["requestParameters", "Host"],
        Field::CtRequestName => &["requestParameters", "name"],
        Field::CtRequestPolicy => &["requestParameters", "policy"],
        Field::CtRequestSerialnumber => &["requestParameters", "serialNumber"],
        Field::CtRequestServicename => &["requestParameters", "serviceName"],
        Field::CtRequestSubnetid => &["requestParameters", "subnetId"],
        Field::CtRequestTaskdefinition => &["requestParameters", "taskDefinition"],
        Field::CtRequestUsername => &["requestParameters", "userName"],
        Field::CtSrcip => &["sourceIPAddress"],
        Field::CtUseragent => &["userAgent"],
        Field::CtRequestid => &["requestID"],
        Field::CtEventtype => &["eventType"],
        Field::CtApiversion => &["apiVersion"],
        Field::CtRecipientaccountid => &["recipientAccountId"],
        Field::CtSharedeventid => &["sharedEventID"],
        Field::CtVpcendpointid => &["vpcEndpointId"],
        Field::CtEventcategory => &["eventCategory"],
        Field::CtAddendumReason => &["addendum", "reason"],
        Field::CtAddendumOriginalrequestid => &["addendum", "originalRequestID"],
        Field::CtAddendumOriginaleventid => &["addendum", "originalEventID"],
        Field::CtTlsdetailsTlsversion => &["tlsDetails", "tlsVersion"],
        Field::CtTlsdetailsCiphersuite => &["tlsDetails", "cipherSuite"],
        Field::CtTlsdetailsClientprovidedhostheader => &["tlsDetails", "clientProvidedHostHeader"],
        Field::S3Bucket => &["requestParameters", "bucketName"],
        Field::S3Key => &["requestParameters", "key"],
        Field::EcrRepository => &["requestParameters", "repositoryName"],
        Field::EcrImagetag => &["requestParameters", "imageTag"],
        _ => return None,
    })
}

/// A string as it is; what is there but no string is empty, as rules for these events expect.
fn string(json: &Json) -> Value<'_> {
    Value::text(json.as_str().unwrap_or_default().as_bytes())
}

fn flag<'a>(json: Option<&Json>) -> Value<'a> {
    match json {
        Some(Json::Bool(true)) => Value::text(b"true"),
        Some(_) => Value::text(b"false"),
        None => Value::Absent,
    }
}

fn counted<'a>(is: bool) -> Value<'a> {
    if is { Value::Uint(1) } else { Value::Absent }
}

fn name(json: &Json) -> Option<&str> {
    json.get("eventName").and_then(Json::as_str)
}

fn user(json: &Json) -> Option<&str> {
    let at = |keys: &[&str]| json.at(keys).and_then(Json::as_str);
    match at(&["userIdentity", "type"])? {
        "Root" | "IAMUser" => at(&["userIdentity", "userName"]),
        "AWSService" => at(&["userIdentity", "invokedBy"]),
        "AssumedRole" => Some(
            at(&["userIdentity", "sessionContext", "sessionIssuer", "userName"]).unwrap_or("AssumedRole"),
        ),
        "AWSAccount" => Some("AWSAccount"),
        "FederatedUser" => Some("FederatedUser"),
        _ => None,
    }
}

/// How names of requests begin that change something, for events that do not tell.
const CHANGING: [&str; 40] = [
    "Activate",
    "Add",
    "Admin",
    "Assign",
    "Associate",
    "Attach",
    "Authorize",
    "Cancel",
    "Close",
    "Create",
    "Delete",
    "Deregister",
    "Destroy",
    "Detach",
    "Disable",
    "Disassociate",
    "Enable",
    "Import",
    "Initialize",
    "Modify",
    "Open",
    "Purchase",
    "Put",
    "Reboot",
    "Register",
    "Remove",
    "Revoke",
    "Run",
    "Set",
    "Start",
    "Stop",
    "Suspend",
    "Terminate",
    "Unassign",
    "Unlink",
    "Update",
    "Upgrade",
    "Upload",
    "Wipe",
    "Write",
];

fn read_only<'a>(json: &Json) -> Value<'a> {
    match json.get("readOnly") {
        None => match name(json) {
            Some(name) => Value::text(if CHANGING.iter().any(|start| name.starts_with(start)) {
                b"false"
            } else {
                b"true"
            }),
            None => Value::Absent,
        },
        some => flag(some),
    }
}

fn transferred<'a>(json: &Json, keys: &[&str]) -> Value<'a> {
    keys.iter()
        .filter_map(|key| json.at(&["additionalEventData", key]))
        .map(|bytes| bytes.as_u64().unwrap_or(0))
        .reduce(u64::saturating_add)
        .map_or(Value::Absent, Value::Uint)
}

fn instance_name(json: &Json) -> Option<&str> {
    json.at(&["requestParameters", "tagSpecificationSet", "items"])?
        .as_array()?
        .iter()
        .filter(|item| item.get("resourceType").and_then(Json::as_str) == Some("instance"))
        .filter_map(|item| {
            item.get("tags")?
                .as_array()?
                .iter()
                .find(|tag| tag.get("key").and_then(Json::as_str) == Some("Name"))?
                .get("value")?
                .as_str()
        })
        .next_back()
        .filter(|name| !name.is_empty())
}

/// Who did what from where, with an arrow for the direction and what it was done to.
fn info(json: &Json) -> String {
    let at = |keys: &[&str]| json.at(keys).and_then(Json::as_str);
    let (Some(user), Some(address), Some(name)) = (user(json), at(&["sourceIPAddress"]), name(json)) else {
        return "<not a CloudTrail event: user, source address or name is missing>".to_owned();
    };
    let arrow = if read_only(json) == Value::text(b"false") {
        "→"
    } else {
        "←"
    };
    let failed = if json.get("errorCode").is_some() { "!" } else { "" };
    let mut info = if user == address {
        format!("{user} {failed}{arrow} {name}")
    } else {
        format!("{user} via {address} {failed}{arrow} {name}")
    };
    if name == "PutBucketPublicAccessBlock" {
        if let Some(block) = json.at(&["requestParameters", "PublicAccessBlockConfiguration"]) {
            for key in [
                "BlockPublicAcls",
                "BlockPublicPolicy",
                "IgnorePublicAcls",
                "RestrictPublicBuckets",
            ] {
                let is = block.get(key) == Some(&Json::Bool(true));
                info.push_str(&format!(" {key}={is}"));
            }
        }
        return info;
    }
    if let Value::Uint(bytes) = transferred(json, &["bytesTransferredIn", "bytesTransferredOut"]) {
        info.push_str(&format!(" Size={bytes}"));
    }
    match (
        at(&["requestParameters", "bucketName"]),
        at(&["requestParameters", "key"]),
        at(&["requestParameters", "Host"]),
    ) {
        (Some(bucket), Some(key), _) => info.push_str(&format!(" URI=s3://{bucket}/{key}")),
        (Some(bucket), None, _) => info.push_str(&format!(" Bucket={bucket}")),
        (None, Some(key), _) => info.push_str(&format!(" Key={key}")),
        (None, None, Some(host)) => info.push_str(&format!(" Host={host}")),
        (None, None, None) => {}
    }
    info
}
