package import SandboxYAML

/// Why a profile cannot be used: every error found in it and in what it extends.
package struct ProfileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
