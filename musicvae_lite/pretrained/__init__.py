"""Models that come with the package: `<name>.safetensors` (half precision) and its card `<name>.md`, both here."""
