//! The double of S3, called by the real SDK and by callers without a name.

use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration},
};
use dr_aws::{classify, testing::s3::PublicAccess};
use dr_core::error::ErrorKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::stage::{Stage, west};

#[tokio::test]
async fn objects_are_written_read_listed_and_deleted() {
    for stage in Stage::each().await {
        let west = stage.west();
        let client = west.s3();
        let home = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
        client.create_bucket().bucket("switches").create_bucket_configuration(home).send().await.unwrap();
        client.head_bucket().bucket("switches").send().await.unwrap();
        assert_eq!(client.list_buckets().send().await.unwrap().buckets().len(), 1);
        let location = client.get_bucket_location().bucket("switches").send().await.unwrap();
        assert_eq!(location.location_constraint().unwrap().as_str(), "eu-west-1");

        let body = vec![b'x'; 100_000];
        let put = client.put_object().bucket("switches").key("a/b c").content_type("text/plain");
        put.metadata("k", "v").body(ByteStream::from(body.clone())).send().await.unwrap();
        assert_eq!(stage.world.s3().get("switches", "a/b c").unwrap(), body);
        let got = client.get_object().bucket("switches").key("a/b c").send().await.unwrap();
        assert_eq!(got.content_type(), Some("text/plain"));
        assert_eq!(got.metadata().unwrap()["k"], "v");
        assert_eq!(got.body.collect().await.unwrap().into_bytes(), body);
        let part = client.get_object().bucket("switches").key("a/b c").range("bytes=0-3").send().await.unwrap();
        assert_eq!(part.content_range(), Some("bytes 0-3/100000"));
        let head = client.head_object().bucket("switches").key("a/b c").send().await.unwrap();
        assert_eq!(head.content_length(), Some(100_000));

        client.put_object().bucket("switches").key("a/c").body(ByteStream::from_static(b"")).send().await.unwrap();
        client.put_object().bucket("switches").key("z").body(ByteStream::from_static(b"z")).send().await.unwrap();
        let page = client.list_objects_v2().bucket("switches").prefix("a/").max_keys(1).send().await.unwrap();
        assert_eq!((page.is_truncated(), page.contents()[0].key()), (Some(true), Some("a/b c")));
        let next = page.next_continuation_token().unwrap();
        let page =
            client.list_objects_v2().bucket("switches").prefix("a/").continuation_token(next).send().await.unwrap();
        assert_eq!((page.is_truncated(), page.contents()[0].key()), (Some(false), Some("a/c")));
        let page = client.list_objects_v2().bucket("switches").delimiter("/").send().await.unwrap();
        assert_eq!(page.common_prefixes()[0].prefix(), Some("a/"));
        assert_eq!(page.contents().len(), 1);

        client.delete_object().bucket("switches").key("z").send().await.unwrap();
        client.delete_object().bucket("switches").key("z").send().await.unwrap();
        assert_eq!(stage.world.effects().count("s3:DeleteObject", "switches/z"), 1, "the second changed nothing");
        let error = client.get_object().bucket("switches").key("z").send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_no_such_key());
        let error = client.head_object().bucket("switches").key("z").send().await.unwrap_err();
        assert!(error.as_service_error().unwrap().is_not_found());
    }
}

#[tokio::test]
async fn conditional_writes_let_one_writer_win() {
    for stage in Stage::each().await {
        stage.world.s3().add_bucket(&west(), "journal", PublicAccess::Blocked);
        let west = stage.west();
        let put = || west.s3().put_object().bucket("journal").key("1").body(ByteStream::from_static(b"entry"));
        let error = put().if_match("\"0123\"").send().await.unwrap_err();
        assert_eq!(error.code(), Some("NoSuchKey"), "there is nothing to match");
        let first = put().if_none_match("*").send().await.unwrap();
        let error = put().if_none_match("*").send().await.unwrap_err();
        assert_eq!(error.code(), Some("PreconditionFailed"));
        assert_eq!(classify("s3:PutObject", error).kind(), ErrorKind::Conflict);
        let error = put().if_match("\"0123\"").send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 412);
        put().if_match(first.e_tag().unwrap()).send().await.unwrap();
        assert_eq!(stage.world.effects().count("s3:PutObject", "journal/1"), 2);
    }
}

#[tokio::test]
async fn a_bucket_answers_in_its_region_alone() {
    for stage in Stage::each().await {
        stage.world.s3().add_bucket(&west(), "home", PublicAccess::Blocked);
        let east = stage.east();
        let error = east.s3().list_objects_v2().bucket("home").send().await.unwrap_err();
        assert_eq!(error.code(), Some("PermanentRedirect"));
        let raw = error.raw_response().unwrap();
        assert_eq!(raw.headers().get("x-amz-bucket-region"), Some("eu-west-1"));
    }
}

#[tokio::test]
async fn versions_are_kept_when_asked_for() {
    let stage = Stage::in_process();
    stage.world.s3().add_bucket(&west(), "kept", PublicAccess::Blocked);
    let west = stage.west();
    let client = west.s3();
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    client.put_bucket_versioning().bucket("kept").versioning_configuration(enabled).send().await.unwrap();
    let status = client.get_bucket_versioning().bucket("kept").send().await.unwrap();
    assert_eq!(status.status(), Some(&BucketVersioningStatus::Enabled));
    let put = client.put_object().bucket("kept").key("k").body(ByteStream::from_static(b"1")).send().await.unwrap();
    let deleted = client.delete_object().bucket("kept").key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let get = client.get_object().bucket("kept").key("k").version_id(put.version_id().unwrap());
    assert_eq!(get.send().await.unwrap().body.collect().await.unwrap().into_bytes(), "1");
    let error = client.get_bucket_policy().bucket("kept").send().await.unwrap_err();
    assert_eq!(error.message(), Some("NotImplemented: the double has no s3:GetBucketPolicy"));
}

/// The status line of a plain GET, as a Route 53 checker sends it.
async fn anonymous(stage: &Stage, path: &str) -> String {
    let mut stream = TcpStream::connect(stage.endpoint(&west()).addr()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: switches.example\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn checkers_without_a_name_read_what_is_public() {
    let stage = Stage::over_http().await;
    let s3 = stage.world.s3();
    s3.add_bucket(&west(), "switches", PublicAccess::Blocked);
    s3.put("switches", "stop", "");
    assert_eq!(anonymous(&stage, "/switches/stop").await, "403");
    s3.set_public_access("switches", PublicAccess::Read);
    assert_eq!(anonymous(&stage, "/switches/stop").await, "200");
    assert_eq!(anonymous(&stage, "/switches/absent").await, "403");
    s3.set_public_access("switches", PublicAccess::ReadAndList);
    assert_eq!(anonymous(&stage, "/switches/absent").await, "404");
    assert_eq!(anonymous(&stage, "/").await, "403");
    s3.delete("switches", "stop");
    assert_eq!(anonymous(&stage, "/switches/stop").await, "404");
}
