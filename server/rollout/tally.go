package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// tally counts verdicts.
type tally struct {
	people, changed, unchanged, mailed int
	left                               map[string]int
}

func (t *tally) count(of verdict) {
	t.people++
	if of.mailed {
		t.mailed++
	}
	switch {
	case of.left != "":
		if t.left == nil {
			t.left = map[string]int{}
		}
		t.left[of.left]++
	case of.unchanged:
		t.unchanged++
	default:
		t.changed++
	}
}

// LeftOut is how many are left out for a reason.
type LeftOut struct {
	Reason string `json:"reason" doc:"own_requirement: nobody lowers their own; administrator_never_off; reset_open: they were reset and have not enrolled anew; off: 2-step verification is off for them for a reason, which a roll-out does not touch; removed; reminded: within the last 24 hours; invited: they have not joined."`
	Count  int    `json:"count"`
}

func leftOut(counts map[string]int) []LeftOut {
	list := make([]LeftOut, 0, len(counts))
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, LeftOut{reason, counts[reason]})
	}
	return list
}

// added are the counts of both, as they are stored.
func added(stored string, more map[string]int) (string, error) {
	counts, err := countsOf(stored)
	if err != nil {
		return "", err
	}
	for reason, count := range more {
		counts[reason] += count
	}
	text, err := json.Marshal(counts)
	return string(text), err
}

func countsOf(stored string) (map[string]int, error) {
	counts := map[string]int{}
	if err := json.Unmarshal([]byte(stored), &counts); err != nil {
		return nil, fmt.Errorf("read who was left out: %w", err)
	}
	return counts, nil
}
