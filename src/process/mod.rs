//! Programs of the user's: they are started without a shell and cannot keep us waiting for ever.

mod template;

pub use template::Template;

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::error::{Error, Result};

/// The longest line that a program may write.
const LONGEST: u64 = 16 << 20;
/// Lines that may wait to be read; a program that writes more waits too.
const WAITING: usize = 64;
/// Lines of stderr that are kept for messages.
const LAST_WORDS: usize = 5;

/// A running program, whose output comes line by line. It ends with this.
pub struct Process {
    /// The program as it was started.
    pub name: String,
    child: Child,
    lines: Receiver<String>,
    errors: Arc<Mutex<VecDeque<String>>>,
}

/// Why there is no line.
pub enum Silence {
    /// The program has ended its output.
    Ended,
    /// The time is over.
    Late,
}

impl Process {
    /// Starts a program; `stdin` says what it reads.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(program: &str, arguments: &[String], stdin: Stdio) -> Result<Self> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            Error::unusable(format!(
                "cannot start `{program}`: {error}; is it installed, and its name right?"
            ))
        })?;
        let (send, lines) = sync_channel(WAITING);
        listen(child.stdout.take(), move |line| send.send(line).is_ok());
        let errors = Arc::<Mutex<VecDeque<String>>>::default();
        let last = Arc::clone(&errors);
        listen(child.stderr.take(), move |line| {
            let Ok(mut last) = last.lock() else { return false };
            last.push_back(line);
            if last.len() > LAST_WORDS {
                last.pop_front();
            }
            true
        });
        Ok(Self { name: program.to_owned(), child, lines, errors })
    }

    /// Where it reads from, to be taken once.
    pub fn stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// The next line of the output.
    ///
    /// # Errors
    /// There is none within `timeout`, or none any more.
    pub fn line(&self, timeout: Duration) -> Result<String, Silence> {
        self.lines.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Silence::Late,
            RecvTimeoutError::Disconnected => Silence::Ended,
        })
    }

    /// The end of what the program said on stderr, for messages; nothing where it said nothing.
    #[must_use]
    pub fn last_words(&self) -> String {
        // What it wrote just before its end may still be on its way.
        thread::sleep(Duration::from_millis(100));
        let words = self.errors.lock().map(|words| words.iter().cloned().collect::<Vec<String>>());
        let said = words.unwrap_or_default().join("; ");
        if said.is_empty() { said } else { format!(": {said}") }
    }

    /// Waits for the program's end; whether it ended well.
    ///
    /// # Errors
    /// It goes on for longer than `timeout`.
    pub fn finish(&mut self, timeout: Duration) -> Result<bool, Silence> {
        let start = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) if start.elapsed() < timeout => thread::sleep(Duration::from_millis(2)),
                _ => return Err(Silence::Late),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands the lines of `stream` to `hear` as they come, until it wants no more.
fn listen(stream: Option<impl Read + Send + 'static>, mut hear: impl FnMut(String) -> bool + Send + 'static) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if !hear(String::from_utf8_lossy(&line).trim_end().to_owned()) {
                return;
            }
            line.clear();
        }
    });
}
