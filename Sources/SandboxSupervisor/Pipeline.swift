internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxStore

/// The way of every intercepted call: RawCall → Call → what it touches → Ruling → record → act → answer → outcome.
///
/// Nothing after `prepare` reads the caller's memory, and the decision is in the journal before anything is done.
extension Notifier {
    func handle(_ notice: consuming Notice) {
        if let input = supervision.context.gifts.take(for: notice.tid) { return notice.replaceStandardInput(by: input) }
        let caller = supervision.arrived(notice.tid), call = notice.call.decoded
        // But for an open that a look settles.
        handsAreFull = true
        switch call {
        case .changeIdentity, .towardsProcess, .tellsProcess, .signalDescriptor, .personality, .separateDescriptors, .shares, .getObject,
            .useObject, .removeObject, .takeRoom, .refused, .unknown:
            settle(call, notice, caller)
        case .sendMessage(let message) where supervision.enforces && isPlain(message, caller): letGo(notice, mayBlock: true)
        case .connect, .bind, .listen, .sendTo, .sendMessage, .sendMessages: exchange(call, notice, caller)
        case .accept: accept(call, notice, caller)
        case .nameSender: setOption(call, notice, caller)
        case .readLink: readLink(call, notice, caller)
        case .open(let request) where OpenLook.isFor(request) && !supervision.pinsReads(of: caller):
            switch supervision.enforces ? pass(request, caller) : see(request, caller) {
            case .goesOn:
                handsAreFull = false
                notice.proceed()
            case .fails(let error):
                handsAreFull = false
                notice.answer(-error)
            case .takesMore: useFile(call, notice, caller)
            }
        case .rename, .makeDirectory, .symlink, .link: supervision.enforces ? useNames(call, notice, caller) : useFile(call, notice, caller)
        default: useFile(call, notice, caller)
        }
    }

    /// Everything that names a file.
    func useFile(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        for _ in 0..<16 {
            do throws(Errno) { try files.prepare(call, for: caller) } catch {
                return supervision.enforces ? notice.answer(-error.code) : notice.proceed()
            }
            guard notice.isStillValid() else { return notice.answer(-ESRCH) }
            var finding = supervision.find(files, call, caller)
            if let (client, script) = supervision.script(files, finding, caller) {
                return open(script, of: client, call, finding, notice, caller)
            }
            if finding.decision == .ask, supervision.enforces {
                let shown = Shown(files, finding, supervision)
                guard supervision.isApproved(&finding, shown) else { return hold(call, finding, shown, notice, caller) }
            }
            let record = supervision.record(files, finding, caller)
            if !supervision.enforces { return letGo(files, finding.ruling, notice) }
            if finding.decision == .deny { return refuse(notice, caller) }
            if let error = supervision.cannotFollow(files, call, caller) { return finish(files, -error, record, notice) }
            if files.mayProceed { return proceed(record, notice) }
            if files.mayBlock { return wait(opening: record, notice) }
            let result = files.redirectsNames ? supervision.context.redirect(files.perform) : files.perform()
            // Made by somebody else between our look and our act: judged anew.
            if result == -EAGAIN, files.first.kind == .absent { continue }
            return finish(files, result, record, notice)
        }
        notice.answer(-EAGAIN)
    }

    /// Everything that names a socket address.
    private func exchange(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        if case .sendMessages(_, let count) = call { return exchangeAll(call, Int(count), notice, caller) }
        do throws(Errno) { try sockets.prepare(call, for: caller) } catch {
            return supervision.enforces ? notice.answer(-error.code) : notice.proceed()
        }
        guard !supervision.enforces || notice.isStillValid() else { return notice.answer(-ESRCH) }
        if mayResolve, supervision.mayResolve(sockets) { return wait(resolving: call, notice, caller) }
        var finding = supervision.find(sockets, caller)
        if finding.decision == .ask, supervision.enforces {
            let shown = Shown(sockets, finding, supervision)
            guard supervision.isApproved(&finding, shown) else { return hold(socket: finding, shown, notice, caller) }
        }
        let record = supervision.record(sockets, finding, caller)
        if !supervision.enforces { return letGo(notice, mayBlock: sockets.mayBlock) }
        if finding.decision == .deny { return refuse(notice, caller) }
        act(record, notice)
    }
}
