// SPDX-License-Identifier: MIT
//! The C functions of llguidance (llguidance.h), as a shared library.
pub use llguidance::ffi::*;
