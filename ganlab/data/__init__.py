"""Image banks: uint8 in memory or memory-mapped, cached by content, sampled and augmented on the device."""
