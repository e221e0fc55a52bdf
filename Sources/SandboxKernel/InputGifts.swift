internal import CShims
internal import Glibc
internal import Synchronization

/// Program starts that are to find another standard input than they were given. It is put in its place by the first call that the
/// new program makes (`Tracer.start`), before anything of it has run.
package final class InputGifts: Sendable {
    private let waiting = Mutex<[Int32: Int32]>([:])
    private let count = Atomic<Int>(0)

    /// Takes the descriptor over.
    func put(_ descriptor: Int32, for tid: Int32) {
        waiting.withLock { $0[tid] = descriptor }
        count.add(1, ordering: .sequentiallyConsistent)
    }

    func isWaiting(_ tid: Int32) -> Bool { waiting.withLock { $0[tid] != nil } }

    package func take(for tid: Int32) -> Int32? {
        if count.load(ordering: .sequentiallyConsistent) == 0 { return nil }
        guard let descriptor = waiting.withLock({ $0.removeValue(forKey: tid) }) else { return nil }
        count.subtract(1, ordering: .sequentiallyConsistent)
        return descriptor
    }

    func drop(_ tid: Int32) {
        if let descriptor = take(for: tid) { _ = sbx_close(descriptor) }
    }
}

extension Notice {
    /// Puts the descriptor, which is closed, in the place of the caller's standard input. Where that fails the caller is killed: it
    /// would read what nobody has judged.
    package consuming func replaceStandardInput(by descriptor: Int32) {
        if replace(descriptor, at: 0) < 0 { _ = sbx_kill(tid, SIGKILL) }
        _ = sbx_close(descriptor)
        answer(0)
    }
}
