internal import Glibc
internal import SandboxIntent
internal import SandboxKernel

/// What a client is going to read, taken in before it does: into a copy that nobody changes any more, and judged as far as it is
/// complete.
final class Intake: @unchecked Sendable {
    // @unchecked: filled by one thread; when others have it, it is not changed any more but by the one that feeds the client.
    let source: InputSource
    let client: SQLClient
    /// Of the file, before it was read.
    let version: InputSource.Version?
    private let copy: SealedCopy
    private let waits: WaitPool
    private(set) var size = 0
    /// It has come to its end.
    private(set) var isWhole = false
    private(set) var summary = ScriptSummary()
    var reader: ScriptReader
    /// What was not complete.
    private(set) var pending: [UInt8] = []
    /// It is not looked at again before there is so much of it.
    private var enough = 0

    /// Longer files are handed on piece by piece; of what comes by a pipe so much is waited for.
    private static let longestFile = 64 << 20, longestStream = 8 << 20
    /// Milliseconds: so long nothing has to come, or so long it may take, until the client begins with what has come.
    private static let silence: UInt64 = 500, patience: UInt64 = 5_000

    init(_ source: InputSource, _ client: SQLClient, _ waits: WaitPool) throws(Errno) {
        self.source = source
        self.client = client
        self.waits = waits
        version = source.version
        reader = ScriptReader(client)
        copy = try SealedCopy()
    }

    deinit { waits.giveBack(size) }

    /// Not `patiently`: whoever writes has been waited for already.
    func run(patiently: Bool = true, isOver: () -> Bool) throws(Errno) {
        let limit = source.isFile(ofAtMost: Intake.longestFile) ? Intake.longestFile : Intake.longestStream
        let end = Intake.now() + Intake.patience
        let silence = patiently ? Intake.silence : 0
        var quiet = Intake.now() + silence
        reading: while size < limit, !isOver() {
            switch try source.next(milliseconds: 20) {
            case .bytes(let bytes):
                guard waits.reserve(bytes.count) else { throw Errno(ENOMEM) }
                size += bytes.count
                try copy.append(bytes)
                pending += bytes
                if pending.count >= enough { read(isLast: false) }
                quiet = Intake.now() + silence
            case .quiet: if Intake.now() >= quiet { break reading }
            case .end:
                isWhole = true
                break reading
            case .gone: break
            }
            if !source.isFile, Intake.now() >= end { break }
        }
        read(isLast: isWhole)
        try copy.seal()
    }

    private func read(isLast: Bool) {
        let (meaning, consumed) = reader.take(pending, isLast: isLast)
        summary.add(meaning)
        pending.removeFirst(consumed)
        enough = 2 * pending.count
    }

    static func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return UInt64(t.tv_sec) * 1000 + UInt64(t.tv_nsec) / 1_000_000
    }

    /// How much of it was complete, and is judged.
    var judged: Int { size - pending.count }

    /// What is judged of it, where it is no longer than what can be rewritten.
    var text: [UInt8]? {
        guard judged <= SQL.maximumText else { return nil }
        do throws(Errno) { return try copy.bytes(at: 0, judged) } catch { return nil }
    }

    /// The source is this copy, and nobody has read anything of it.
    func isCopied(in source: InputSource) -> Bool { isWhole && copy.isIt(source) }

    func bytes(at position: Int, _ count: Int) throws(Errno) -> [UInt8] { try copy.bytes(at: position, count) }

    /// The whole of it, or what a rule has made of that, to be handed over.
    func descriptor(holding text: [UInt8]?) throws(Errno) -> Int32 {
        if let text { return try SealedCopy(of: text).reader().release() }
        return try copy.reader().release()
    }
}
