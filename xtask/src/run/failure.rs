use std::fmt;

/// Why a command of this program did not succeed, and what the program beneath it printed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    output: Vec<String>,
}

impl Failure {
    /// A failure with a sentence and no output.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), output: Vec::new() }
    }

    /// Adds what was printed, or a list of findings.
    pub(crate) fn with_output(mut self, output: impl IntoIterator<Item = String>) -> Self {
        self.output.extend(output);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.output {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "error: {}", self.message)
    }
}
