use std::{borrow::Cow, cmp::Ordering, fmt::Display};

use serde::{
    Serialize, Serializer,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::{
    Error, Result,
    ser::{CompactFormatter, Formatter as _},
};

/// The canonical JSON of a value, without a blank and with every object's keys sorted: equal content, equal bytes.
///
/// Written in one go: a tree of values for a plan of ten thousand steps would cost fifty times as much.
pub(crate) fn canonical(content: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    let mut out = Canonical { out: Vec::new(), spare: Vec::new(), fields: Vec::new() };
    content.serialize(&mut out)?;
    Ok(out.out)
}

struct Canonical {
    out: Vec<u8>,
    /// Where the fields of an object are put in order.
    spare: Vec<u8>,
    /// The fields of every object that is open, the innermost last.
    fields: Vec<Field>,
}

impl Canonical {
    fn text(&mut self, text: &str) -> Result<()> {
        // Names have nothing to escape, and they are most of a plan.
        if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
            return Ok(());
        }
        serde_json::to_writer(&mut self.out, text)
    }

    fn number(&mut self, write: impl FnOnce(&mut CompactFormatter, &mut Vec<u8>) -> std::io::Result<()>) -> Result<()> {
        write(&mut CompactFormatter, &mut self.out).map_err(Error::io)
    }

    fn object(&mut self) -> Object<'_> {
        Object { from: self.out.len(), first: self.fields.len(), to: self, wrapped: false }
    }

    fn list(&mut self) -> List<'_> {
        self.out.push(b'[');
        List { to: self, first: true, wrapped: false }
    }

    /// Opens an object of one field, which is closed when what follows ends.
    fn wrap(&mut self, variant: &str) -> Result<()> {
        self.out.push(b'{');
        self.text(variant)?;
        self.out.push(b':');
        Ok(())
    }
}

/// An object under way: its fields are written one after another, as they come, and put in order at the end.
struct Object<'a> {
    to: &'a mut Canonical,
    from: usize,
    /// The place of its first field.
    first: usize,
    wrapped: bool,
}

struct Field {
    key: Cow<'static, str>,
    /// The key's first bytes as a number: most keys differ there, which compares faster than text does.
    begins: u64,
    from: usize,
    to: usize,
}

impl Field {
    fn new(key: Cow<'static, str>, from: usize, to: usize) -> Self {
        let mut first = [0; 8];
        first.iter_mut().zip(key.bytes()).for_each(|(place, byte)| *place = byte);
        Self { key, begins: u64::from_be_bytes(first), from, to }
    }

    fn order(&self, other: &Self) -> Ordering {
        self.begins.cmp(&other.begins).then_with(|| self.key.cmp(&other.key))
    }
}

impl Object<'_> {
    fn field(&mut self, key: Cow<'static, str>, value: &(impl Serialize + ?Sized)) -> Result<()> {
        let from = self.to.out.len();
        match &key {
            // The name of a field in a type has nothing to escape.
            Cow::Borrowed(name) => {
                self.to.out.push(b'"');
                self.to.out.extend_from_slice(name.as_bytes());
                self.to.out.extend_from_slice(b"\":");
            }
            Cow::Owned(name) => {
                self.to.text(name)?;
                self.to.out.push(b':');
            }
        }
        value.serialize(&mut *self.to)?;
        let to = self.to.out.len();
        self.to.fields.push(Field::new(key, from, to));
        Ok(())
    }

    fn close(self) -> Result<()> {
        let Canonical { out, spare, fields } = self.to;
        let own = fields.get_mut(self.first..).unwrap_or_default();
        // Stable: of two fields of one name the last one counts, as in a map that is filled.
        own.sort_by(Field::order);
        spare.clear();
        let mut rest = own.iter().peekable();
        while let Some(field) = rest.next() {
            if rest.peek().is_some_and(|next| next.order(field).is_eq()) {
                continue;
            }
            spare.push(if spare.is_empty() { b'{' } else { b',' });
            spare.extend_from_slice(out.get(field.from..field.to).unwrap_or_default());
        }
        if spare.is_empty() {
            spare.push(b'{');
        }
        spare.push(b'}');
        out.truncate(self.from);
        out.extend_from_slice(spare);
        fields.truncate(self.first);
        if self.wrapped {
            out.push(b'}');
        }
        Ok(())
    }
}

struct List<'a> {
    to: &'a mut Canonical,
    first: bool,
    wrapped: bool,
}

impl List<'_> {
    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        if !std::mem::take(&mut self.first) {
            self.to.out.push(b',');
        }
        value.serialize(&mut *self.to)
    }

    fn close(self) -> Result<()> {
        self.to.out.push(b']');
        if self.wrapped {
            self.to.out.push(b'}');
        }
        Ok(())
    }
}

/// A map whose next key is known.
struct Entries<'a> {
    object: Object<'a>,
    key: String,
}

macro_rules! numbers {
    ($($method:ident($kind:ty) => $write:ident;)*) => {$(
        fn $method(self, value: $kind) -> Result<()> {
            self.number(|formatter, out| formatter.$write(out, value))
        }
    )*};
}

impl<'a> Serializer for &'a mut Canonical {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    numbers! {
        serialize_i8(i8) => write_i8;
        serialize_i16(i16) => write_i16;
        serialize_i32(i32) => write_i32;
        serialize_i64(i64) => write_i64;
        serialize_i128(i128) => write_i128;
        serialize_u8(u8) => write_u8;
        serialize_u16(u16) => write_u16;
        serialize_u32(u32) => write_u32;
        serialize_u64(u64) => write_u64;
        serialize_u128(u128) => write_u128;
        serialize_bool(bool) => write_bool;
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        if value.is_finite() {
            self.number(|formatter, out| formatter.write_f64(out, value))
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        let mut list = self.list();
        value.iter().try_for_each(|byte| list.item(byte))?;
        list.close()
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.wrap(variant)?;
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<List<'a>> {
        self.wrap(variant)?;
        Ok(List { wrapped: true, ..self.list() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>> {
        Ok(Entries { object: self.object(), key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a>> {
        Ok(self.object())
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Object<'a>> {
        self.wrap(variant)?;
        Ok(Object { wrapped: true, ..self.object() })
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.text(&value.to_string())
    }
}

macro_rules! lists {
    ($($kind:ident::$method:ident;)*) => {$(
        impl $kind for List<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.item(value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

lists! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! objects {
    ($($kind:ident)*) => {$(
        impl $kind for Object<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
                self.field(Cow::Borrowed(key), value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

objects!(SerializeStruct SerializeStructVariant);

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        match serde_json::to_value(key)? {
            serde_json::Value::String(key) => self.key = key,
            other => return Err(Error::custom(format!("{other} is no name of a field"))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = std::mem::take(&mut self.key);
        self.object.field(Cow::Owned(key), value)
    }

    fn end(self) -> Result<()> {
        self.object.close()
    }
}
