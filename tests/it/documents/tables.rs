//! The tables of docs/functions.md have all reasons, statuses and numbers, so that a new one is not
//! forgotten there.

use shared::{event::cleanup::CloseReason, invocation::InvocationFault, push::PushError};
use strum::IntoEnumIterator;

const FUNCTIONS: &str = include_str!("../../../docs/functions.md");

/// Whether a table has a row whose first cell is `cell`.
fn has_row(cell: &str) -> bool {
    FUNCTIONS.lines().any(|line| line.starts_with(&format!("| {cell} |")))
}

#[test]
fn each_close_reason_has_a_row() {
    for reason in CloseReason::ALL {
        assert!(has_row(&format!("`{reason}`")), "{reason}");
    }
}

#[test]
fn each_fault_of_an_invocation_has_a_row_with_its_status() {
    for fault in InvocationFault::ALL {
        assert!(has_row(&fault.status().to_string()), "{fault:?}");
        assert_eq!(InvocationFault::from_status(fault.status()), Some(*fault));
    }
}

#[test]
fn each_error_of_a_push_has_a_row_with_its_number_and_its_status() {
    for error in PushError::iter() {
        let (first, last) =
            (format!("| {} |", error.err_no()), format!("| {} |", error.http_status()));
        let is_row = |line: &str| line.starts_with(&first) && line.ends_with(&last);
        assert!(FUNCTIONS.lines().any(is_row), "{error:?}");
    }
}
