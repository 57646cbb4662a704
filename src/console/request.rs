//! What Lisp is here for, as it reads it.

use std::fmt::Write as _;

/// The name of the device that tells it.
pub const REQUEST_NAME: &str = "/dev/geiko";

/// What Lisp is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Talk with a user, who goes on after an error.
    Prompt,
    /// Evaluate the forms of the standard input and print their values.
    Pipe,
    /// Evaluate forms and print their values.
    Eval,
    /// Evaluate forms.
    Run,
    /// Do what the program asks for that Lisp is part of.
    Serve,
}

/// What the host wants of the built-in Lisp. Lisp reads it as text: a property
/// list, and then forms. The list has
///
/// - `:INTERACTIVE` if there is a user,
/// - `:SERVE` if Lisp is part of another program (`forge/lisp/lib/embedding.lisp`),
/// - `:FORMS` if forms follow, else they come from the standard input,
/// - `:PRINT` if their values are to be printed,
/// - `:RESUME` if a saved image is to go on where it was,
/// - `:ARGUMENTS`, a list of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What to do.
    pub manner: Manner,
    /// Forms.
    pub forms: String,
    /// Strings for the program.
    pub arguments: Vec<String>,
    /// A saved image goes on where it was, and then does what else there is to do.
    pub resume: bool,
}

impl Request {
    /// A request without forms.
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            forms: String::new(),
            arguments: Vec::new(),
            resume: false,
        }
    }

    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::from("(");
        let has_forms = matches!(self.manner, Manner::Eval | Manner::Run);
        for (name, present) in [
            (":interactive", self.manner == Manner::Prompt),
            (":serve", self.manner == Manner::Serve),
            (":forms", has_forms),
            (":print", self.manner != Manner::Run),
            (":resume", self.resume),
        ] {
            if present {
                let _ = write!(text, "{name} t ");
            }
        }
        text.push_str(":arguments (");
        for argument in &self.arguments {
            let escaped = argument.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(text, "\"{escaped}\" ");
        }
        text.push_str("))");
        if has_forms {
            // The first line is a comment if it names an interpreter.
            let comment = if self.forms.starts_with("#!") {
                ";"
            } else {
                ""
            };
            let _ = write!(text, "\n{comment}{}", self.forms);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let prompt = Request::new(Manner::Prompt);
        assert_eq!(prompt.text(), "(:interactive t :print t :arguments ())");
        let run = Request {
            forms: "#!/bin/geiko\n(f)".into(),
            arguments: vec!["a".into(), r#"b "\c"#.into()],
            resume: true,
            ..Request::new(Manner::Run)
        };
        assert_eq!(
            run.text(),
            "(:forms t :resume t :arguments (\"a\" \"b \\\"\\\\c\" ))\n;#!/bin/geiko\n(f)"
        );
    }
}
