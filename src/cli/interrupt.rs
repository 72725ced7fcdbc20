//! Ctrl-C: the first asks to stop and save, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A flag that becomes true on Ctrl-C or a termination signal.
pub(super) fn flag() -> anyhow::Result<&'static AtomicBool> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        super::output::tell(format_args!("\nstopping; press Ctrl-C again to stop without saving"));
    })?;
    Ok(&INTERRUPTED)
}
