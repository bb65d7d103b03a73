//! Keys of the keyboard.

/// A pressed key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The browser's name of the key: `a`, `Enter`, `ArrowDown`.
    pub(crate) name: String,
    /// Whether Control, Alt or Meta was held.
    pub(crate) modified: bool,
    /// Whether Control or Meta was held, and nothing else.
    pub(crate) command: bool,
}
