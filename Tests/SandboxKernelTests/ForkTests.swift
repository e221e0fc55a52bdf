import CShims
import Foundation
import Synchronization
import Testing

/// What the supervisor's locks are after it has parted from the process that the user started.
@Suite struct ForkTests {
    @Test(.timeLimit(.minutes(1))) func locksOpenAgainInAForkedProcess() throws {
        let count = Mutex(0)
        // From now on this thread's id is kept.
        count.withLock { $0 += 1 }
        let child = sbx_fork()
        if child == 0 { ForkTests.meet() }
        try #require(child > 0)
        let watch = Process()
        watch.executableURL = URL(fileURLWithPath: "/bin/sleep")
        watch.arguments = ["30"]
        try watch.run()
        defer { watch.terminate() }
        var status: Int32 = 0
        // Whichever ends first: a child that spins never does.
        while waitpid(child, &status, WNOHANG) == 0 {
            if !watch.isRunning { break }
            usleep(10_000)
        }
        if kill(child, SIGKILL) == 0 { waitpid(child, &status, 0) }
        #expect(status == 0, "ended with \(status)")
    }

    /// Two threads of the child go through one lock many times, so that they meet there.
    private static func meet() -> Never {
        final class Shared: Sendable { let count = Mutex(0) }
        let shared = Shared()
        let other = Thread {
            for _ in 0..<200_000 { shared.count.withLock { $0 += 1 } }
        }
        other.start()
        for _ in 0..<200_000 { shared.count.withLock { $0 += 1 } }
        while shared.count.withLock({ $0 }) < 400_000 { sched_yield() }
        _exit(0)
    }
}
