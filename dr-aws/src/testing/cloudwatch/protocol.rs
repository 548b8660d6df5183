use aws_smithy_cbor::{Decoder, Encoder, data::Type, decode::DeserializeError};
use aws_smithy_types::DateTime;
use bytes::Bytes;
use dr_core::time::Timestamp;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::{Map, Value};

use crate::testing::{CallCx, Element, Form};

/// The name of the service in targets and paths; the year is that of the API's version.
const TARGET: &str = "GraniteServiceVersion20100801";
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Smithy RPC v2 in CBOR: the Rust SDK, and boto3 since 2025.
    Cbor,
    /// AWS JSON 1.0.
    Json,
    /// Forms in, XML out: clients of before.
    Query,
}

/// An error of the API, by its name in the model and its code in the query protocol.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) shape: &'static str,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            shape: "InvalidParameterValueException",
            code: "InvalidParameterValue",
            message: message.into(),
        }
    }
}

/// What an operation answers, before a protocol writes it down.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Text(String),
    Number(f64),
    Time(Timestamp),
    List(Vec<Output>),
    Structure(Vec<(&'static str, Output)>),
}

impl Protocol {
    /// The protocol of a request, and the operation that it names.
    pub(super) fn of(request: &Request<Bytes>) -> (Self, String) {
        let path = request.uri().path();
        if let Some(operation) = path.strip_prefix(&format!("/service/{TARGET}/operation/")) {
            return (Self::Cbor, operation.to_owned());
        }
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        if let Some((_, operation)) = target.and_then(|target| target.split_once('.')) {
            return (Self::Json, operation.to_owned());
        }
        (Self::Query, Form::of(request).action().to_owned())
    }

    /// The members of the input.
    pub(super) fn input(self, request: &Request<Bytes>) -> Result<Value, ApiError> {
        let body = request.body();
        if request.headers().get("content-encoding").is_some_and(|encoding| encoding != "identity") {
            return Err(ApiError::invalid("NotImplemented: the double has no compressed requests"));
        }
        match self {
            _ if body.is_empty() => Ok(Value::Object(Map::new())),
            Self::Cbor => decode(&mut Decoder::new(body), 0).map_err(|error| ApiError::invalid(error.to_string())),
            Self::Json => serde_json::from_slice(body).map_err(|error| ApiError::invalid(error.to_string())),
            Self::Query => Ok(unflatten(&Form::of(request))),
        }
    }

    pub(super) fn answer(self, cx: &CallCx, output: &Output) -> Response<Bytes> {
        let body = match self {
            Self::Cbor => to_cbor(output),
            Self::Json => to_json(output).to_string().into(),
            Self::Query => {
                let root = Element::new(format!("{}Response", cx.action()))
                    .namespace(NAMESPACE)
                    .child(to_xml(format!("{}Result", cx.action()), output))
                    .child(Element::new("ResponseMetadata").leaf("RequestId", cx.request_id()));
                root.document().into()
            }
        };
        let mut reply = self.reply(StatusCode::OK, body);
        if let Ok(id) = HeaderValue::from_str(cx.request_id()) {
            reply.headers_mut().insert("x-amzn-requestid", id);
        }
        reply
    }

    pub(super) fn error(self, error: &ApiError) -> Response<Bytes> {
        let ApiError { status, shape, code, message } = error;
        let side = if status.is_server_error() { "Receiver" } else { "Sender" };
        let kind = format!("com.amazonaws.cloudwatch#{shape}");
        let structure =
            Output::Structure(vec![("__type", Output::Text(kind)), ("message", Output::Text(message.clone()))]);
        let body = match self {
            Self::Cbor => to_cbor(&structure),
            Self::Json => to_json(&structure).to_string().into(),
            Self::Query => {
                let error = Element::new("Error").leaf("Type", side).leaf("Code", code).leaf("Message", message);
                let root = Element::new("ErrorResponse").namespace(NAMESPACE).child(error);
                root.leaf("RequestId", "00000000-0000-4000-8000-000000000000").document().into()
            }
        };
        let mut reply = self.reply(*status, body);
        // For clients that knew the service when it spoke the query protocol ("awsQueryCompatible").
        if let Ok(value) = HeaderValue::from_str(&format!("{code};{side}")) {
            reply.headers_mut().insert("x-amzn-query-error", value);
        }
        reply
    }

    fn reply(self, status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
        let mut reply = Response::new(Bytes::from(body));
        *reply.status_mut() = status;
        let kind = match self {
            Self::Cbor => "application/cbor",
            Self::Json => "application/x-amz-json-1.0",
            Self::Query => "text/xml",
        };
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if self == Self::Cbor {
            reply.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        reply
    }
}

/// Deeper than any input of the API.
const DEPTH: u8 = 16;

/// Reads one CBOR item; a timestamp becomes its seconds since the epoch.
fn decode(decoder: &mut Decoder<'_>, depth: u8) -> Result<Value, DeserializeError> {
    if depth > DEPTH {
        return Err(DeserializeError::custom("nested too deeply", decoder.position()));
    }
    Ok(match decoder.datatype()? {
        Type::Bool => Value::Bool(decoder.boolean()?),
        Type::F16 | Type::F32 | Type::F64 => decoder.double()?.into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            decoder.long()?.into()
        }
        Type::String | Type::StringIndef => Value::String(decoder.string()?),
        Type::Tag => decoder.timestamp()?.as_secs_f64().into(),
        Type::Array | Type::ArrayIndef => {
            let count = decoder.list()?;
            let mut items = Vec::new();
            while goes_on(decoder, count, items.len())? {
                items.push(decode(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let (count, mut read) = (decoder.map()?, 0);
            let mut members = Map::new();
            while goes_on(decoder, count, read)? {
                members.insert(decoder.string()?, decode(decoder, depth + 1)?);
                read += 1;
            }
            Value::Object(members)
        }
        _ => {
            decoder.skip()?;
            Value::Null
        }
    })
}

/// Whether a list or map holds another item; takes the mark that ends one of unknown length.
fn goes_on(decoder: &mut Decoder<'_>, count: Option<u64>, read: usize) -> Result<bool, DeserializeError> {
    match count {
        Some(count) => Ok(u64::try_from(read).is_ok_and(|read| read < count)),
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

fn to_cbor(output: &Output) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, output);
    encoder.into_writer()
}

fn encode(encoder: &mut Encoder, output: &Output) {
    match output {
        Output::Text(text) => {
            encoder.str(text);
        }
        Output::Number(number) => {
            encoder.double(*number);
        }
        Output::Time(at) => {
            encoder.timestamp(&DateTime::from_millis(at.as_millis()));
        }
        Output::List(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item));
        }
        Output::Structure(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                encode(encoder, member);
            }
        }
    }
}

fn to_json(output: &Output) -> Value {
    match output {
        Output::Text(text) => Value::String(text.clone()),
        Output::Number(number) => (*number).into(),
        Output::Time(at) => at.as_secs_f64().into(),
        Output::List(items) => items.iter().map(to_json).collect(),
        Output::Structure(members) => {
            Value::Object(members.iter().map(|(name, member)| ((*name).to_owned(), to_json(member))).collect())
        }
    }
}

fn to_xml(name: impl Into<String>, output: &Output) -> Element {
    let element = Element::new(name);
    match output {
        Output::Text(text) => element.text(text),
        Output::Number(number) => element.text(number),
        Output::Time(at) => element.text(at),
        Output::List(items) => element.children(items.iter().map(|item| to_xml("member", item))),
        Output::Structure(members) => element.children(members.iter().map(|(name, member)| to_xml(*name, member))),
    }
}

/// The nested members behind flat parameters: `Dimensions.member.1.Name` is the name of the first of a list.
fn unflatten(form: &Form) -> Value {
    let mut root = Value::Null;
    for (name, text) in form.iter() {
        let parts: Vec<&str> = name.split('.').filter(|part| *part != "member").collect();
        insert(&mut root, &parts, text);
    }
    root
}

/// More than any list of the API may hold.
const ITEMS: usize = 1000;

fn insert(place: &mut Value, path: &[&str], text: &str) {
    let Some((part, rest)) = path.split_first() else {
        *place = Value::String(text.to_owned());
        return;
    };
    // A number is a place in a list, counted from one. Items come in the order of their numbers' text, so leave gaps.
    if let Ok(number) = part.parse::<usize>() {
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        let index = number.saturating_sub(1).min(ITEMS);
        if let Value::Array(items) = place {
            if items.len() <= index {
                items.resize(index + 1, Value::Null);
            }
            if let Some(item) = items.get_mut(index) {
                insert(item, rest, text);
            }
        }
    } else {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        if let Value::Object(members) = place {
            insert(members.entry(*part).or_insert(Value::Null), rest, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flat_parameters_are_nested_again() {
        let body = "Action=X&Dimensions.member.1.Name=a&Dimensions.member.1.Value=b&Dimensions.member.2.Name=c&Stat=d";
        let form = Form::of(&Request::new(Bytes::from_static(body.as_bytes())));
        let expected = json!({"Action":"X","Dimensions":[{"Name":"a","Value":"b"},{"Name":"c"}],"Stat":"d"});
        assert_eq!(unflatten(&form), expected);
    }

    #[test]
    fn cbor_is_read_with_and_without_lengths() {
        let mut encoder = Encoder::new(Vec::new());
        encoder.begin_map();
        encoder.str("a").begin_array().integer(-1).double(1.5).end();
        encoder.str("b").map(1).str("c").boolean(true);
        encoder.str("t").timestamp(&DateTime::from_secs(60));
        encoder.str("n").null();
        encoder.end();
        let bytes = encoder.into_writer();
        let value = decode(&mut Decoder::new(&bytes), 0).unwrap();
        assert_eq!(value, json!({"a":[-1,1.5],"b":{"c":true},"t":60.0,"n":null}));
    }

    #[test]
    fn cut_off_or_endless_cbor_is_refused() {
        assert!(decode(&mut Decoder::new(&[0xbf, 0x61]), 0).is_err());
        assert!(decode(&mut Decoder::new(&[0x81; 100]), 0).is_err());
    }
}
