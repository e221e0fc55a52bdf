internal import CShims

/// What Landlock takes from every process of an enforced session, whatever else should fail (`landlock.c`).
package struct KernelFloor: Sendable, CustomStringConvertible {
    /// Negative where there is no Landlock.
    package let abi: Int32

    package static var here: KernelFloor { KernelFloor(abi: sbx_landlock_abi()) }

    package var description: String {
        if abi < 0 { return "absent" }
        let taken: [(abi: Int32, what: String)] = [
            (1, "write, make or remove files"), (2, "move them between folders"), (3, "truncate them"), (4, "use TCP ports"),
            (5, "control devices"), (6, "signal or reach by abstract socket what is outside the session"),
            (9, "look up unix sockets"), (10, "use UDP ports"),
        ]
        // Not by `joined(separator:)`, which looks types up by name: a tenth of a millisecond of every start.
        var text = "ABI \(abi): no process can by itself "
        for (i, (_, what)) in taken.filter({ $0.abi <= abi }).enumerated() { text += i == 0 ? what : ", " + what }
        return text
    }
}
