use crate::model::VantageId;

/// Why an observer's answer is not believed. Nothing of a refused answer is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More bytes than an answer may have.
    #[error("it is longer than {limit} bytes")]
    TooBig {
        /// How many they may be.
        limit: usize,
    },
    /// It is no statement.
    #[error("it is no statement of an observer: {why}")]
    Malformed {
        /// What is wrong with its text.
        why: String,
    },
    /// Nobody signed it.
    #[error("it is not signed")]
    Unsigned,
    /// The key that signed it is not this observer's, or the signature is of another text.
    #[error("it is not signed by this observer's key; it names the key {named:?}")]
    NotTrusted {
        /// The key that it says it is signed by.
        named: String,
    },
    /// It speaks for somebody else.
    #[error("it is a statement of {named}")]
    AnotherObserver {
        /// For whom.
        named: VantageId,
    },
    /// It answers another question: an old answer that somebody kept.
    #[error("it answers another question: it was replayed")]
    Replayed,
    /// It comes from a life of the observer that had ended: two processes share one name and key, or one is replayed.
    #[error("it comes from a process that was followed by another: do two run as this observer?")]
    FormerBoot,
    /// Sequence numbers that repeat, go backwards or were had before.
    #[error("its reading {seq} is out of sequence")]
    OutOfSequence {
        /// The first number that does not fit.
        seq: u64,
    },
    /// A reading that is dated after the moment at which the statement was made.
    #[error("its reading {seq} is from the future")]
    FromTheFuture {
        /// The reading.
        seq: u64,
    },
    /// The observer's monotonic clock went backwards, or its readings are not in the order of their dates.
    #[error("its clock went backwards")]
    ClockWentBack,
}
