internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// What other sessions are told, and what they say.
extension Supervision {
    /// Tells of every place that gains, and asks about others, until nobody has news. Somebody else's objection is ours.
    func tell(
        _ link: LabelLink, _ asks: [DataPlace], _ taken: [Gain], _ seeds: inout [Gain], _ found: inout [Gain], _ ways: [Way],
        _ around: Surroundings,
        _ state: Carrying.State
    ) -> Carrying.Refusal? {
        var told: [DataPlace: UInt64] = [:]
        var asks = asks
        while true {
            var message = LabelMessage()
            (message.asks, asks) = (asks, [])
            message.labels = news(in: taken + found, &told, state)
            if message.labels.isEmpty, message.asks.isEmpty { return nil }
            guard let others = neighbours.others, let answer = link.send(message, to: others) else {
                return Carrying.Refusal(rule: policy.builtin.data, note: "another session that is alive does not answer")
            }
            if let refusal = answer.refusal { return Carrying.Refusal(rule: policy.builtin.data, note: refusal) }
            let more = answer.labels.map { Gain(.place($0.place), bits(of: $0.classes), source: $0.why) }.filter { $0.classes != 0 }
            for gain in more { if case .place(let place) = gain.carrier { told[place, default: 0] |= gain.classes } }
            if more.isEmpty { continue }
            seeds += more
            found = state.labels.spread(seeds, over: ways)
            if let objection = objection(to: found, around, state) { return objection }
        }
    }

    private func news(in found: [Gain], _ told: inout [DataPlace: UInt64], _ state: Carrying.State) -> [PlaceLabel] {
        var labels: [PlaceLabel] = []
        for gain in found {
            guard case .place(let place) = gain.carrier, gain.classes & ~told[place, default: 0] != 0 else { continue }
            told[place, default: 0] |= gain.classes
            labels.append(PlaceLabel(place: place, classes: names(of: gain.classes), why: why(gain, found, state)))
        }
        return labels
    }

    private func why(_ gain: Gain, _ found: [Gain], _ state: Carrying.State) -> String {
        var labels = state.labels
        labels.take(found)
        return "in \(info.id):\n" + state.text(of: labels.chain(to: gain.carrier, gain.classes & ~(gain.classes &- 1)))
    }

    func bits(of names: [String]) -> UInt64 {
        names.reduce(0) { bits, name in policy.dataClasses.firstIndex(of: name).map { bits | 1 << UInt64($0) } ?? bits }
    }

    // MARK: Being told

    /// Nothing here waits for another session.
    func answer(_ message: LabelMessage, _ carrying: Carrying) -> LabelMessage {
        var answer = LabelMessage()
        carrying.isSpreading.add(1, ordering: .sequentiallyConsistent)
        defer { carrying.isSpreading.subtract(1, ordering: .sequentiallyConsistent) }
        if enforces, context.flights.grounded(context.tracer, { 0 }) == nil {
            answer.refusal = "a call does not end"
            return answer
        }
        let seeds = message.labels.map { Gain(.place($0.place), bits(of: $0.classes), source: $0.why) }
        carrying.state.withLock { state in
            let around: Surroundings
            do throws(Errno) { around = try surroundings(carrying, state) } catch {
                answer.refusal = "what the session holds cannot be looked at: \(errorText(error.code))"
                return
            }
            // What nobody here has is nobody's business here.
            let places = around.places
            let found = state.labels.spread(
                seeds.filter { if case .place(let place) = $0.carrier { places.contains(place) } else { false } }, over: around.ways)
            if enforces, let objection = objection(to: found, around, state) {
                answer.refusal = "\(policy.rule(objection.rule).name): \(objection.note)"
                return
            }
            take(carrying, found, around, &state)
            var told: [DataPlace: UInt64] = [:]
            answer.labels = news(in: found, &told, state)
            for place in message.asks {
                let classes = state.labels.classes(of: .place(place))
                guard classes != 0 else { continue }
                let gain = Gain(.place(place), classes)
                answer.labels.append(PlaceLabel(place: place, classes: names(of: classes), why: why(gain, [], state)))
            }
        }
        return answer
    }
}
