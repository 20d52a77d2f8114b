//! The output of a child: lines for the log of the current invocation.
//!
//! The pipe is always read, so a child never waits for its log. Lines beyond a bound are counted
//! and not kept.

use std::{collections::VecDeque, future, io};

use tokio::net::unix::pipe;

use super::heap;
use crate::invocation::Lines;

/// Longer lines are split.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// How much one invocation may write to the log.
const BYTES_MAX: usize = 1 << 20;
const LINES_MAX: usize = 10_000;
/// How much is read at once.
const PIECE_BYTES: usize = 16 * 1024;
/// How many pieces are read of the pipe after the reply. A pipe holds 64 KiB: more than that was
/// written after the reply.
const FLUSH_PIECES: usize = 8;
/// How many of the last lines are kept, for the report of a child that did not start.
const TAIL_LINES: usize = 20;

#[derive(Debug)]
pub(super) struct Output {
    /// Standard output and standard error together. None when the child has closed both.
    pipe: Option<pipe::Receiver>,
    line: Vec<u8>,
    /// Whether `line` goes on after a part that was too long and is logged already.
    is_rest: bool,
    log: OutputLog,
}

#[derive(Debug)]
struct OutputLog {
    to: Lines,
    bytes: usize,
    lines: usize,
    left_out: usize,
    tail: VecDeque<String>,
    /// Whether a line says that a JavaScript engine found no more room in its heap.
    is_out_of_heap: bool,
}

type Read = fn(&pipe::Receiver, &mut [u8]) -> io::Result<usize>;

/// For a pipe that was found readable. Notes if it is no longer so.
fn try_read(pipe: &pipe::Receiver, piece: &mut [u8]) -> io::Result<usize> {
    pipe.try_read(piece)
}

/// Asks the system: tokio may not know yet of bytes that were just written.
fn read_now(pipe: &pipe::Receiver, piece: &mut [u8]) -> io::Result<usize> {
    Ok(nix::unistd::read(pipe, piece)?)
}

impl Output {
    /// Lines go to `to` until an invocation begins.
    pub(super) fn new(pipe: pipe::Receiver, to: Lines) -> Self {
        Self { pipe: Some(pipe), line: Vec::new(), is_rest: false, log: OutputLog::new(to) }
    }

    /// From now on lines go to `to`, those of an invocation.
    pub(super) fn begin(&mut self, to: Lines) {
        self.flush();
        self.log.log_left_out();
        self.log = OutputLog::new(to);
    }

    /// Reads one piece when there is one. Can be dropped and called again.
    pub(super) async fn pump(&mut self) {
        match &self.pipe {
            // A read will find the error.
            Some(pipe) => drop(pipe.readable().await),
            None => future::pending().await,
        }
        self.read(try_read);
    }

    /// Reads all output so far. The child wrote it before its last request.
    pub(super) fn flush(&mut self) {
        for _ in 0..FLUSH_PIECES {
            if !self.read(read_now) {
                break;
            }
        }
    }

    /// The invocation has ended: half a line counts as a line, and the log says how many lines were
    /// left out.
    pub(super) fn finish(&mut self) {
        self.flush();
        self.cut_line();
        self.is_rest = false;
        self.log.log_left_out();
    }

    /// Whether the child has said that its JavaScript engine is out of memory.
    pub(super) fn is_out_of_heap(&mut self) -> bool {
        self.flush();
        self.log.is_out_of_heap
    }

    /// The last lines of a child that has ended.
    pub(super) fn tail(&mut self) -> String {
        self.finish();
        self.log.tail.make_contiguous().join("\n")
    }

    /// Whether there was something to read.
    fn read(&mut self, read: Read) -> bool {
        let Some(pipe) = &self.pipe else { return false };
        let mut piece = [0; PIECE_BYTES];
        match read(pipe, &mut piece) {
            Ok(0) => self.end(),
            Ok(count) => {
                self.take(&piece[..count]);
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.end(),
        }
        false
    }

    fn take(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let room = LINE_BYTES_MAX - self.line.len();
            let cut = piece.len().min(room);
            if let Some(end) = piece[..cut].iter().position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&piece[..end]);
                piece = &piece[end + 1..];
                self.end_line();
            } else {
                self.line.extend_from_slice(&piece[..cut]);
                piece = &piece[cut..];
                if self.line.len() == LINE_BYTES_MAX {
                    self.split();
                }
            }
        }
    }

    /// The line has its end. Nothing is left of a line that was just long enough.
    fn end_line(&mut self) {
        if !(self.is_rest && matches!(*self.line, [] | [b'\r'])) {
            self.log.line(&self.line);
        }
        self.line.clear();
        self.is_rest = false;
    }

    /// The line is as long as one may be. A character that has only begun stays for the next line.
    fn split(&mut self) {
        let rest = self.line.split_off(self.line.len() - begun(&self.line));
        self.log.line(&self.line);
        self.line = rest;
        self.is_rest = true;
    }

    /// A line without an end counts as a line.
    fn cut_line(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn end(&mut self) {
        self.cut_line();
        self.pipe = None;
    }
}

impl OutputLog {
    fn new(to: Lines) -> Self {
        let tail = VecDeque::new();
        Self { to, bytes: 0, lines: 0, left_out: 0, tail, is_out_of_heap: false }
    }

    fn line(&mut self, line: &[u8]) {
        self.is_out_of_heap |= heap::is_out_of_memory(line);
        if self.lines >= LINES_MAX || self.bytes >= BYTES_MAX {
            self.left_out += 1;
            return;
        }
        self.lines += 1;
        self.bytes += line.len();
        let line = String::from_utf8_lossy(line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        self.to.own(line);
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(line.to_owned());
    }

    fn log_left_out(&mut self) {
        if self.left_out > 0 {
            let count = std::mem::take(&mut self.left_out);
            self.to.left_out(count);
        }
    }
}

/// How many bytes at the end of `line` are a character that has only begun.
fn begun(line: &[u8]) -> usize {
    let is_begun = |count: &usize| {
        let end = &line[line.len().saturating_sub(*count)..];
        let broken = str::from_utf8(end).err();
        broken.is_some_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    (1..=3).find(is_begun).unwrap_or(0)
}

#[cfg(test)]
mod tests;
