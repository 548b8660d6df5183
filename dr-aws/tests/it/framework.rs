//! What holds for every service: naming, and errors for what is not there.

use std::sync::Arc;

use dr_aws::testing::World;
use dr_core::{model::RegionId, time::ManualClock};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn a_service_that_the_world_lacks_is_named_in_the_error() {
    let region = RegionId::new("us-east-1").unwrap();
    let world = World::builder(Arc::new(ManualClock::new())).region(region.clone()).build();
    let endpoint = world.serve(&region, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut stream = TcpStream::connect(endpoint.addr()).await.unwrap();
    let request = "POST / HTTP/1.1\r\nHost: iam\r\nConnection: close\r\nContent-Length: 0\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential=A/20261123/us-east-1/iam/aws4_request, Signature=0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 501"), "{reply}");
    assert!(reply.contains(r#"the double has no service \"iam\""#), "{reply}");
}
