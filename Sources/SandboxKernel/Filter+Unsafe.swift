internal import CShims
internal import Glibc

/// The seccomp filter of one session. Sorting its rules takes libseccomp longer than anything else between `run` and the
/// program's first instruction, so that it is begun before the profile is read, for what most sessions need.
package final class Filter: @unchecked Sendable {
    // @unchecked: `guess` is written by the thread that builds it, before `monitor` says that it is done.
    struct Kind: Equatable {
        var enforces: Bool
        var trapsSignals: Bool
    }

    struct Built {
        var program: UnsafeMutablePointer<sock_filter>?
        var count: UInt32 = 0
        var error: Int32 = 0
    }

    private let monitor = Monitor()
    private let kind: Kind
    private let front: Int32
    private var guess: Built?

    /// Begins to build what a session needs on this kernel that probably enforces, or probably does not.
    package init(front: Int32, enforces: Bool) {
        self.front = front
        kind = Kind(enforces: enforces, trapsSignals: !enforces || sbx_landlock_scopes_signals() != 1)
        let supervisor = getpid()
        let e = WorkerThread.start("sbx-filter") { [self] in
            let built = Filter.build(kind, front, supervisor)
            monitor.locked {
                guess = built
                monitor.broadcast()
            }
        }
        if e != 0 { guess = Filter.build(kind, front, supervisor) }
    }

    /// The filter for `kind`. The caller frees its program; asked once.
    func take(_ wanted: Kind, front: Int32) -> Built {
        guard wanted == kind else { return Filter.build(wanted, front, getpid()) }
        return monitor.locked {
            while guess == nil { monitor.wait() }
            return guess!
        }
    }

    private static func build(_ kind: Kind, _ front: Int32, _ supervisor: Int32) -> Built {
        var built = Built()
        var spec = sbx_filter_spec(
            enforce: kind.enforces ? 1 : 0, trap_signals: kind.trapsSignals ? 1 : 0, supervisor: supervisor, front: front)
        built.error = sbx_filter_build(&spec, &built.program, &built.count)
        return built
    }
}
