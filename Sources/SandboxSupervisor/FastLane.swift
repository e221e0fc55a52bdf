internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// Calls that are answered after a look. Opens, without a descriptor of ours: handing one over costs three times as much. And plain messages.
extension Notifier {
    enum Passage {
        case goesOn
        case fails(Int32)
        /// The look does not tell: the object is pinned.
        case takesMore
    }

    /// Observe mode: whatever the look says, the call goes on.
    func see(_ request: OpenRequest, _ caller: Caller) -> Passage {
        do throws(Errno) {
            switch try looks.look(request, caller) {
            case .unclear: return .takesMore
            case .nothing: return .goesOn
            case .known: break
            }
        } catch { return .goesOn }
        let ruling = looks.ruling ?? supervision.policy.judge(file: looks.path.span, access: looks.access, isProgram: looks.isProgram)
        looks.remember(ruling)
        if !supervision.bringsNothing(looks, caller) { return .takesMore }
        supervision.record(looks, supervision.find(looks, ruling, caller), caller)
        return .goesOn
    }

    /// Enforce mode: an open for reading goes on if nobody can change what it means before the kernel has carried it out.
    ///
    /// INVARIANT, each part with the place that sees to it:
    /// - the name lies in memory that only the caller has, and the caller waits (`TaskTable.isAlone`, `NameMemory`); no
    ///   device is open that writes to memory by itself (`FileWork.reachesMemory`), nor anybody's own `mem` (`Notifier.finish`);
    /// - so do its working directory and descriptors (`TaskTable.Company.places`);
    /// - the look met no magic link of procfs, which would mean something else for us (`OpenLook`, strict);
    /// - names are redirected by our own hands alone (`Neighbours`), and not while the call is under way (`Flights`,
    ///   `FileWork.redirectsNames`).
    ///   What else may happen to a name meanwhile leaves its path, by which it was judged, as it is;
    /// - it is a file or a folder, and no other name leads to it (`OpenLook`).
    func pass(_ request: OpenRequest, _ caller: Caller) -> Passage {
        let context = supervision.context
        guard OpenLook.onlyReads(request), context.tasks.isAlone(caller), supervision.neighbours.areAbsent,
            let mark = context.flights.mark()
        else { return .takesMore }
        do throws(Errno) {
            switch try looks.look(request, caller) {
            case .unclear, .nothing(0): return .takesMore
            case .nothing(let error): return isPrivate(request, caller) ? .fails(error) : .takesMore
            case .known: break
            }
        } catch { return .takesMore }
        let ruling = looks.ruling ?? supervision.policy.judge(file: looks.path.span, access: looks.access, isProgram: looks.isProgram)
        looks.remember(ruling)
        guard ruling.decision == .allow, supervision.bringsNothing(looks, caller), isPrivate(request, caller),
            context.flights.takeOff(caller.pid, since: mark)
        else {
            return .takesMore
        }
        var finding = Judged(ruling)
        finding.carries = supervision.carried(by: caller)
        supervision.record(looks, finding, caller)
        return .goesOn
    }

    /// Enforce mode: a message that names no address and has no control messages goes where an earlier, judged call led, as
    /// with send(2), which nobody looks at. Sent by its own process it says so: receivers are told who it was (SCM_CREDENTIALS,
    /// unix(7)), and some look for the process by that.
    ///
    /// INVARIANT: that its header says so nobody can change, as with names (`pass`); zeros say no less. No name of a file is in it, so it need
    /// not take off.
    func isPlain(_ message: Message, _ caller: Caller) -> Bool {
        let context = supervision.context
        guard !supervision.followsData, context.tasks.isAlone(caller), context.flights.mark() != nil,
            case .own = nameMemory.look(message.header, count: 56 /* sizeof(struct msghdr) */, caller, mayBecomeZero: true)
        else { return false }
        return SocketWork.isPlain(message, caller)
    }

    private func isPrivate(_ request: OpenRequest, _ caller: Caller) -> Bool {
        switch nameMemory.look(request.path.address, count: looks.givenCount, caller) {
        case .own: return true
        case .others: return false
        case .image(let known):
            // A program's or a library's constants: nobody's to change where the file may not be written to.
            let ruling = known ?? writing(to: Array(nameMemory.path))
            if known == nil { nameMemory.remember(ruling) }
            return ruling.decision == .deny
        }
    }

    /// By whichever of its paths may be written to, where its file system is mounted more than once.
    private func writing(to path: [UInt8]) -> Ruling {
        for other in MountTable.atStart.others(of: path) where other.below.isEmpty {
            let ruling = supervision.policy.judge(file: other.path.span, access: .write)
            if ruling.decision != .deny { return ruling }
        }
        return supervision.policy.judge(file: path.span, access: .write)
    }
}
