//! The allocator of every binary.

use mimalloc::MiMalloc;

/// A message costs dozens of small allocations, most of which are freed on another thread than they
/// were made on: what glibc's allocator is slow at (docs/performance.md has the figures).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
