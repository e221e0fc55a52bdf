import Glibc
import SandboxKernel
import Synchronization
import Testing

/// What keeps those who wait from waiting for ever.
@Suite struct PatienceTests {
    /// Holds whoever asks, until it is told to go on.
    private final class Gate: Sendable {
        let ends: (read: Int32, write: Int32)
        init() {
            var pair: [Int32] = [0, 0]
            pipe(&pair)
            ends = (pair[0], pair[1])
        }
        deinit {
            close(ends.read)
            close(ends.write)
        }
        func wait() {
            var byte: UInt8 = 0
            _ = read(ends.read, &byte, 1)
        }
        func open() { _ = write(ends.write, [1], 1) }
    }

    @Test func turnsAreTakenOneAtATime() {
        let turn = Turn(patience: 50), gate = Gate(), started = Gate(), ended = Gate()
        WorkerThread.start("test-turn") {
            turn.whileTaken {
                started.open()
                gate.wait()
            }
            ended.open()
        }
        started.wait()
        #expect(turn.whileTaken { true } == nil)
        gate.open()
        ended.wait()
        #expect(turn.whileTaken { true } == true)
    }

    /// Patience is time: being overtaken, however often, costs none of it.
    @Test func whoIsOvertakenGoesOnWaiting() {
        let turn = Turn(patience: 5_000), ended = Gate(), missed = Atomic<Int>(0)
        for _ in 0..<4 {
            WorkerThread.start("test-turn") {
                for _ in 0..<2_000 where turn.whileTaken({ usleep(50) }) == nil { missed.add(1, ordering: .relaxed) }
                ended.open()
            }
        }
        for _ in 0..<4 { ended.wait() }
        #expect(missed.load(ordering: .relaxed) == 0)
    }

    @Test func whoDoesNotAnswerIsLeftBehind() {
        let aside = Aside(patience: 50), gate = Gate()
        #expect(aside.ask { 1 } == 1)
        // As many as may be left behind; then nobody is asked any more, until one of them has answered after all.
        for _ in 0..<32 { #expect(aside.ask { gate.wait() } == nil) }
        #expect(aside.ask { 2 } == nil)
        for _ in 0..<32 { gate.open() }
        var answer: Int?
        for _ in 0..<1000 where answer == nil {
            answer = aside.ask { 3 }
            if answer == nil { usleep(1000) }
        }
        #expect(answer == 3)
    }
}
