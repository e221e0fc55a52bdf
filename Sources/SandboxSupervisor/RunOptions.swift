/// What `sandbox run` was asked for.
package struct RunOptions: Sendable {
    package var profile = "coding-agent"
    package var mode: String?
    /// A candidate profile, judged beside and never enforced.
    package var shadow: String?
    package var identity: String?
    package var onBehalfOf: String?
    package var tokenFile: String?
    package var purpose: String?
    package var workspace: String?
    /// `K` takes the variable over, `K=V` sets it.
    package var environment: [String] = []
    package var user: String?
    package var state: String?
    /// Nanoseconds.
    package var timeout: UInt64?
    package var name: String?
    package var statusDescriptor: Int32?
    package var isQuiet = false
    /// As it came, byte by byte.
    package var command: [[UInt8]] = []
    package init() {}
}

/// Why a session could not be started or kept up: exit code 125 (126 and 127 for the program itself), a message,
/// and what can be done.
package struct RunFailure: Error {
    package var message: String
    /// Lines of their own, between the message and the help.
    package var details: [String] = []
    package var help: String?
    package var code: Int32 = 125

    init(_ message: String, details: [String] = [], help: String? = nil, code: Int32 = 125) {
        self.message = message
        self.details = details
        self.help = help
        self.code = code
    }

    init(_ error: some Error) { self.init("\(error)") }
}
