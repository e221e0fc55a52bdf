// Placeholder until the first decoder lands.
