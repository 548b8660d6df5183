use rand::RngExt as _;

use super::{Control, RunView, accept};
use crate::{
    journal::{Entry, Submitted},
    model::RequestToken,
};

/// The records by which a request of the inbox is answered, to be written in one append: what it leads to, and that it was
/// answered. None when it was answered before. Pure.
#[must_use]
pub fn answer(view: &RunView, asked: &Submitted) -> Vec<Entry> {
    if asked.id <= view.answered() || view.ended().is_some() {
        return Vec::new();
    }
    let accepted = match serde_json::from_value::<Control>(asked.request.control.clone()) {
        Ok(control) => accept(view, &control).map_err(|error| error.to_string()),
        // A newer program asks; whoever waits for the answer is told, and what was asked after it is not held up.
        Err(error) => Err(format!("the engine that holds run {} does not know what is asked: {error}", view.run())),
    };
    let (mut entries, refused) = match accepted {
        Ok(entries) => (entries, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    entries.push(Entry::RequestAnswered { request: asked.id, refused });
    entries
}

/// A token that nobody else uses: for [`Engine::ask`](super::Engine::ask), made once for each request and kept while it is
/// repeated.
#[must_use]
#[expect(clippy::expect_used, reason = "a literal and thirty-two hexadecimal digits follow the rules of names")]
pub fn new_token() -> RequestToken {
    RequestToken::new(format!("request-{:032x}", rand::rng().random::<u128>())).expect("the rules of names")
}
