//! The allocator of every binary.

use mimalloc::MiMalloc;

/// A message costs dozens of small allocations, and most are freed by another thread than the one
/// that made them. glibc's allocator is slow at that (docs/performance.md has the figures).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
