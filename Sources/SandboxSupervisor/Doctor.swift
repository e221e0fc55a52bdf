internal import Glibc
internal import SandboxKernel
internal import SandboxPolicy

/// What `sandbox doctor` tells.
package struct Finding: Sendable {
    package let name: String
    package let state: String
    package let detail: String
    package let isRequired: Bool
    package var standsInTheWay: Bool { isRequired && state == Capability.State.none.rawValue }

    package static func all() -> [Finding] {
        Capability.probe().map { Finding(name: $0.name, state: $0.state.rawValue, detail: $0.detail, isRequired: $0.isRequired) }
            + [controlGroups]
    }

    private static var controlGroups: Finding {
        let group = ControlGroup(session: "doctor-\(getpid())", Limits(memory: 1 << 40, processes: 1 << 16))
        defer { group?.remove() }
        let watched = "limits on memory and processes are looked at from outside, memory five times a second"
        let state: Capability.State = group == nil ? .none : group?.controllers.count == 2 ? .full : .partial
        return Finding(
            name: "control groups", state: state.rawValue,
            detail: group.map { $0.description + (state == .full ? "" : "; " + watched) } ?? "none can be made here (version 2): "
                + watched,
            isRequired: false)
    }
}
