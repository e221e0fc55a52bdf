internal import SandboxKernel

/// What `sandbox doctor` tells.
package struct Finding: Sendable {
    package let name: String
    package let state: String
    package let detail: String
    package let isRequired: Bool
    package var standsInTheWay: Bool { isRequired && state == Capability.State.none.rawValue }

    package static func all() -> [Finding] {
        Capability.probe().map { Finding(name: $0.name, state: $0.state.rawValue, detail: $0.detail, isRequired: $0.isRequired) }
    }
}
