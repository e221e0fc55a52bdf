package import SandboxModel
package import SandboxYAML

package enum Mode: String, Sendable, CaseIterable { case enforce, observe }

/// Where a rule was written.
package struct Origin: Hashable, Sendable {
    /// The name of the profile, and its file as the user knows it.
    package let profile: String
    package let file: String
    package let position: Position
    /// Its place in its list, from 0.
    package let index: Int
}

/// One entry of a list: what it means, how it was written, and why it is there.
package struct Entry<Value: Hashable & Sendable>: Hashable, Sendable {
    package let value: Value
    package let text: String
    package let reason: String?
    package let origin: Origin
}

/// An entry of `exec`: a bare name, or a path.
package enum ProgramPattern: Hashable, Sendable {
    case name(Glob)
    case path([PathPattern])
}

package struct FileLists: Hashable, Sendable {
    package var fallback: Decision?
    package var read: [Entry<[PathPattern]>] = []
    package var write: [Entry<[PathPattern]>] = []
    package var deny: [Entry<[PathPattern]>] = []
}

package struct ExecLists: Hashable, Sendable {
    package var fallback: Decision?
    package var allow: [Entry<ProgramPattern>] = []
    package var deny: [Entry<ProgramPattern>] = []
}

package struct NetworkLists: Hashable, Sendable {
    package var fallback: Decision?
    package var allow: [Entry<NetworkTarget>] = []
    package var deny: [Entry<NetworkTarget>] = []
    package var listen: [Entry<NetworkTarget>] = []
}

package struct EnvironmentLists: Hashable, Sendable {
    /// `nil`: all that is not dropped.
    package var keep: [Entry<Glob>]?
    package var drop: [Entry<Glob>] = []
    /// The value as written: `${home}`, `${workspace}` and `${tmp}` in it are replaced when the policy is made.
    package var set: [Entry<[UInt8]>] = []
}

/// What a session may use up; `nil` is no limit.
package struct Limits: Hashable, Sendable {
    /// Bytes.
    package var memory: UInt64?
    package var processes: UInt64?
    /// Nanoseconds.
    package var time: UInt64?
    package var openFiles: UInt64?
    /// Bytes, by all processes together; no file may be longer.
    package var written: UInt64?
    package init(memory: UInt64? = nil, processes: UInt64? = nil) {
        self.memory = memory
        self.processes = processes
    }
}

/// How the trail is kept.
package struct AuditSettings: Hashable, Sendable {
    package enum OnFailure: String, Sendable, CaseIterable { case block, `continue` }
    package enum Reads: String, Sendable, CaseIterable { case all, none }
    package enum Arguments: String, Sendable, CaseIterable { case redacted, full }
    package var onFailure: OnFailure?
    package var reads: Reads?
    package var arguments: Arguments?
    /// What looks random in arguments is taken for a secret as well.
    package var entropy: Bool?

    /// Arguments as they may be kept.
    package func shown(_ arguments: [[UInt8]]) -> [[UInt8]] {
        self.arguments == .full ? arguments : ArgumentRedaction.redact(arguments, byEntropy: entropy ?? false)
    }
}

/// All of a profile that `extends` combines.
package struct ProfileBody: Hashable, Sendable {
    package var mode: Mode?
    package var identities: [Entry<Glob>]?
    package var files = FileLists()
    package var exec = ExecLists()
    package var network = NetworkLists()
    package var rules: [Rule] = []
    package var data: [DataClass] = []
    package var releases: [Release] = []
    package var environment = EnvironmentLists()
    package var limits = Limits()
    package var audit = AuditSettings()

    /// Rules ask what a process carries, so somebody has to keep an eye on it.
    package var asksWhatIsCarried: Bool { !data.isEmpty && rules.contains { $0.asksWhatIsCarried } }
}

/// One profile file, read and found to make sense by itself.
package struct Profile: Hashable, Sendable {
    package var name: String
    package var file: String
    package var description: String
    package var extends: [Entry<String>]
    package var body: ProfileBody
    package var tests: [ProfileTest]
    /// What is worth saying about it although it is valid.
    package var warnings: [Diagnostic]
}

/// A profile together with all that it extends: lists added up, scalars of the nearest.
package struct ResolvedProfile: Hashable, Sendable {
    package var name: String
    package var file: String
    package var description: String
    /// The names it was made from, the farthest first, itself last.
    package var chain: [String]
    /// Their files, in the same order.
    package var files: [String]
    package var body: ProfileBody
    /// Its own alone: those of what it extends are about that.
    package var tests: [ProfileTest]
    package var warnings: [Diagnostic]

    /// `${workspace}` is among what may be written.
    package var opensWorkspace: Bool { body.files.write.contains { $0.value.contains { $0.anchor == .workspace } } }
}
