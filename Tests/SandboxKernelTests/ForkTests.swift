import CShims
import Foundation
import Synchronization
import Testing

/// What locks do in the supervisor, which is a forked process.
@Suite struct ForkTests {
    /// The thread that makes it asks for its id, and keeps it.
    private enum Warm { static let value = getpid() }

    /// Made while another thread waits for it, at the lock that every `static let` has.
    private enum Met {
        static let other = Atomic<Int32>(0)
        static let value: Int = {
            let thread = Thread {
                other.store(sbx_gettid(), ordering: .releasing)
                _ = Met.value
            }
            thread.start()
            while !isWaiting(other.load(ordering: .acquiring)) { sched_yield() }
            return 1
        }()

        private static func isWaiting(_ tid: Int32) -> Bool {
            guard tid != 0, let stat = try? String(contentsOfFile: "/proc/self/task/\(tid)/stat", encoding: .utf8) else { return false }
            return stat.contains(") S ")
        }
    }

    @Test(.timeLimit(.minutes(1))) func locksOpenAgainInAForkedProcess() throws {
        #expect(Warm.value == getpid())
        // Other tests run meanwhile: a lock that one of them holds at the moment of the fork is held in the child for ever.
        var status: Int32 = -1
        for _ in 0..<3 where status != 0 { status = try ForkTests.child() }
        #expect(status == 0, "ended with \(status)")
    }

    /// How a child ended that has made the value.
    private static func child() throws -> Int32 {
        let child = sbx_fork()
        if child == 0 { _exit(Met.value == 1 ? 0 : 1) }
        try #require(child > 0)
        // One that spins never ends by itself; nothing in it takes a second.
        let end = ContinuousClock.now + .seconds(10)
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < end else {
                kill(child, SIGKILL)
                waitpid(child, &status, 0)
                break
            }
            usleep(10_000)
        }
        return status
    }
}
