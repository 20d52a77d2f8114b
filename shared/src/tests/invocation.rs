//! Outcomes of an invocation, and the error object.

use super::check_golden;
use crate::invocation::{Disposition, ErrorObject, InvocationFault as Fault};

const FAULTS: [(u16, Fault, Disposition); 14] = [
    (400, Fault::BadEvent, Disposition::Faulted),
    (406, Fault::EventTooLarge, Disposition::Faulted),
    (407, Fault::ReplyTooLarge, Disposition::Ran),
    (429, Fault::TooManyRequests, Disposition::NotRun),
    (430, Fault::Raised, Disposition::Ran),
    (432, Fault::ConcurrencyExceeded, Disposition::NotRun),
    (433, Fault::TimedOut, Disposition::Ran),
    (434, Fault::OutOfMemory, Disposition::Ran),
    (435, Fault::NoSuchFunction, Disposition::Faulted),
    (437, Fault::HandlerMissing, Disposition::Faulted),
    (439, Fault::ProcessExited, Disposition::Ran),
    (443, Fault::LoadFailed, Disposition::Faulted),
    (450, Fault::StartTimedOut, Disposition::Faulted),
    (503, Fault::Draining, Disposition::NotRun),
];

#[test]
fn each_fault_has_its_status_and_each_status_its_fault() {
    for (status, fault, _) in FAULTS {
        assert_eq!(fault.status(), status);
    }
    for status in 0..=u16::MAX {
        let expected = FAULTS.iter().find(|row| row.0 == status).map(|row| row.1);
        assert_eq!(Fault::from_status(status), expected, "{status}");
    }
}

#[test]
fn each_fault_has_its_disposition() {
    for (status, fault, disposition) in FAULTS {
        assert_eq!(fault.disposition(), disposition, "{status}");
    }
}

#[test]
fn error_object_is_golden() {
    let error = ErrorObject {
        error_code: -1,
        error_message: "user code exception caught".to_owned(),
        request_id: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned(),
        stack_trace: "Traceback (most recent call last):\n  File \"index.py\", line 2, in \
                      main_handler"
            .to_owned(),
        status_code: 430,
    };
    check_golden(include_str!("../../golden/error-object.json"), &error);
}
