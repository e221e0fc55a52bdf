internal import Glibc
internal import SandboxKernel
internal import SandboxPolicy
internal import SandboxStore

/// What `sandbox doctor` tells.
package struct Finding: Sendable {
    package let name: String
    package let state: String
    package let detail: String
    package let isRequired: Bool
    package var standsInTheWay: Bool { isRequired && state == Capability.State.none.rawValue }

    /// `state`: where the trail is to lie; nil: where it lies without being told.
    package static func all(state: String? = nil) -> [Finding] {
        Capability.probe().map { Finding(name: $0.name, state: $0.state.rawValue, detail: $0.detail, isRequired: $0.isRequired) }
            + [controlGroups, trail(state)]
    }

    /// Asking makes nothing.
    private static func trail(_ given: String?) -> Finding {
        func found(_ state: Capability.State, _ detail: String) -> Finding {
            Finding(name: "state directory", state: state.rawValue, detail: detail, isRequired: true)
        }
        do throws(StoreError) {
            let path = try StateDirectory.locate(given)
            if try StateDirectory.existing(given) != nil {
                let isWritable = access(path, W_OK) == 0
                return found(isWritable ? .full : .none, "the trail lies in `\(path)`" + (isWritable ? "" : ": " + errorText(errno)))
            }
            var above = path[...]
            while !above.isEmpty, access(String(above), F_OK) != 0 { above = above[..<(above.lastIndex(of: "/") ?? above.startIndex)] }
            let folder = above.isEmpty ? "/" : String(above)
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            let canBeMade = descriptor >= 0 && faccessat(descriptor, ".", W_OK | X_OK, 0) == 0
            let reason = errorText(errno)
            if descriptor >= 0 { close(descriptor) }
            return found(
                canBeMade ? .full : .none,
                canBeMade ? "`\(path)` is made when it is needed" : "`\(path)` cannot be made: `\(folder)`: \(reason)")
        } catch { return found(.none, "\(error)") }
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
