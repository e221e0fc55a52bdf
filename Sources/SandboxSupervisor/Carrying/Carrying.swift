internal import Glibc
internal import SandboxLineage
internal import SandboxModel
internal import SandboxStore
internal import Synchronization

/// Which classes of data the processes of a session carry. There is one only where the profile has rules that ask.
///
/// Reading and writing are not seen, so what counts is what could flow. A process gains a class when it opens something that has
/// it; before that call is answered, all that every process holds is looked at (`Surroundings`), and whoever the data could reach
/// from there gains as well. From then on every new way is a call that is judged: a process that is started has what its maker
/// has, and pipes, sockets and memory that it makes are known to itself alone until it gives them away.
///
/// INVARIANT: under `state`, no process can get from another what the labels do not say: whoever adds a way (an open, a
/// connection, a descriptor that is passed on, a process) comes here first, and waits while others spread. What it is about to
/// have is `pending` from then on, until it is in its list.
final class Carrying: Sendable {
    struct State {
        var labels = Labels()
        /// By serial.
        var living: [UInt32: Int32] = [:]
        var parents: [UInt32: UInt32] = [:]
        var programs: [UInt32: [UInt8]] = [:]
        /// Numbers of processes that have ended, for people.
        var pids: [UInt32: Int32] = [:]
        /// By which each was found, for people, and for rules about writing: a place without one counts as any.
        private(set) var names: [DataPlace: [UInt8]] = [:]
        private var namesLength = 0
        /// A name may have 4,096 bytes, and files are made as fast as the agent likes.
        private static let mostNames = 16 << 20  // bytes
        /// What was sent over unix sockets (SCM_RIGHTS), by whomever.
        var passed: Set<Way> = []
        /// The unix sockets that it was sent through, and those it was sent to.
        var touched: Set<UInt64> = []
        /// Connections that were accepted.
        var accepted: Set<UInt64> = []
        /// The same, to somebody outside: what gets there is out.
        var given: Set<DataPlace> = []
        /// Whoever has used a System V object may be waiting in a call of its own for what comes there.
        var users: Set<Way> = []
        /// Files that were opened for writing.
        var written: Set<DataPlace> = []
        /// Processes whose program was started with arguments of somebody who carried nothing.
        var plain: Set<UInt32> = []
        /// By thread.
        var pending: [Int32: Pending] = [:]
        /// What was opened while somebody was making a file: he may not have known of it when he labelled the file.
        var recent: Set<DataPlace> = []
        /// Of processes that read classified tables: where they have connected to.
        var servers: [UInt32: Set<String>] = [:]
        /// What is on record already.
        var refused: Set<Refused> = []

        mutating func name(_ place: DataPlace, _ path: [UInt8]) {
            if namesLength > State.mostNames {
                names = names.filter { labels.classes(of: .place($0.key)) != 0 }
                namesLength = names.values.reduce(0) { $0 + State.room($1) }
                if namesLength > State.mostNames / 2 { (names, namesLength) = ([:], 0) }
            }
            namesLength += State.room(path) - (names.updateValue(path, forKey: place).map(State.room) ?? 0)
        }

        /// With what a table needs besides.
        private static func room(_ path: [UInt8]) -> Int { path.count + 128 }
    }

    /// What a call brings its caller when it is answered: until then it is in nobody's list.
    struct Pending {
        let process: UInt32
        var ways: [Way] = []
        /// The file that it will have open for writing.
        var writes: [UInt8]?
        var outside: [Surroundings.Outside] = []
        var sockets: [UInt64] = []
        /// It makes a file, which somebody else may open before it is labelled.
        var makes = false
    }

    /// Why a process may not gain what it would: the rule, and where the data would go.
    struct Refusal {
        let rule: RuleID
        let note: String
        /// What would have come where it must not.
        var gain: Gain?
    }

    /// Who was refused what would have come from there, by which rule.
    struct Refused: Hashable {
        let caller: UInt32
        let rule: RuleID
        let origin: Carrier
    }

    static let mostLabels = 1 << 16
    let state = Mutex(State())
    let files: FileLabels
    /// Of a candidate profile: it follows what happens, and keeps and refuses nothing.
    let isCandidate: Bool
    /// To the other sessions that follow data; a candidate has none.
    let link: LabelLink?
    /// Sockets that the session was started with.
    let inherited: Set<UInt64>
    /// Files that it was started with: whoever started it has said what is written there.
    let inheritedFiles: Set<DataPlace>
    let hasLabels = Atomic<Bool>(false)
    /// While this is so nothing is let go on by a look alone.
    let isSpreading = Atomic<Int>(0)

    init(_ files: FileLabels, link: LabelLink?) {
        self.files = files
        self.link = link
        isCandidate = link == nil
        var sockets: Set<UInt64> = [], files: Set<DataPlace> = []
        for stream: Int32 in 0...2 {
            var st = stat()
            guard fstat(stream, &st) == 0 else { continue }
            if st.st_mode & S_IFMT == S_IFSOCK { sockets.insert(UInt64(st.st_ino)) }
            if st.st_mode & S_IFMT == S_IFREG { files.insert(DataPlace(.file, device: UInt64(st.st_dev), inode: UInt64(st.st_ino))) }
        }
        (inherited, inheritedFiles) = (sockets, files)
    }

    func classes(of process: UInt32) -> UInt64 {
        hasLabels.load(ordering: .acquiring) ? state.withLock { $0.labels.classes(of: process) } : 0
    }

    // MARK: Calls under way

    func begin(_ tid: Int32, _ call: Pending) { state.withLock { $0.pending[tid] = call } }

    /// What the call brought is in its caller's list by now, or never will be.
    func settle(_ tid: Int32) {
        state.withLock { state in
            guard let call = state.pending.removeValue(forKey: tid) else { return }
            if state.pending.values.contains(where: \.makes) {
                for way in call.ways { state.recent.insert(way.place) }
            } else if !state.recent.isEmpty {
                state.recent = []
            }
        }
    }
}

extension Supervision {
    var followsData: Bool { carrying != nil || shadow?.carrying != nil }

    /// The thread's call is about to be answered.
    func settle(_ tid: Int32) {
        carrying?.settle(tid)
        shadow?.carrying?.settle(tid)
    }
}
