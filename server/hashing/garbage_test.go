package hashing

import (
	"errors"
	"runtime"
	"runtime/debug"
	"testing"
)

// percentNow reads GOGC, which can only be read by setting it.
func percentNow() int {
	now := debug.SetGCPercent(-1)
	debug.SetGCPercent(now)
	return now
}

// settled waits for the collection that has begun.
func settled() {
	left.collecting.Lock()
	left.collecting.Unlock() //nolint:staticcheck // waiting is all there is to do
}

func TestCollectedWhenComputationsEndAndNotWhileTheyRun(t *testing.T) {
	usual := percentNow()
	p := New(Options{Workers: 2})
	var kept []byte
	run := func(inside func()) {
		t.Helper()
		if err := p.do(t.Context(), worthCollecting, inside); err != nil {
			t.Error(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(func() {
		kept = make([]byte, 64<<20)
		run(func() {})
		settled()
		if now := percentNow(); now != -1 {
			t.Errorf("GOGC is %d while one still runs", now)
		}
	})
	kept[0], kept = 1, nil
	run(func() {}) // what the one before has left is garbage now
	settled()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("%d MB are left behind", grown>>20)
	}
	if now := percentNow(); now != usual {
		t.Errorf("GOGC is %d afterwards, and was %d", now, usual)
	}
}

func TestCollectedBeforeTheNextBegins(t *testing.T) {
	p := New(Options{Workers: 1})
	var before, inside runtime.MemStats
	var kept []byte
	err := p.do(t.Context(), worthCollecting, func() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		kept = make([]byte, 64<<20)
		kept[0], kept = 1, nil
	})
	if err := errors.Join(err, p.do(t.Context(), worthCollecting, func() { runtime.ReadMemStats(&inside) })); err != nil {
		t.Error(err)
	}
	if grown := int64(inside.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("%d MB of the one before are still there", grown>>20)
	}
	settled()
}

// What takes little memory changes nothing.
func TestSmallComputationsLeaveGoItsOwnTime(t *testing.T) {
	usual := percentNow()
	p := New(Options{Workers: 1})
	err := p.do(t.Context(), worthCollecting-1, func() {
		if now := percentNow(); now != usual {
			t.Errorf("GOGC is %d", now)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPanicGivesGoItsOwnTimeBack(t *testing.T) {
	usual := percentNow()
	p := New(Options{Workers: 1})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = p.do(t.Context(), worthCollecting, func() { panic("in a computation") })
	}()
	settled()
	if now := percentNow(); now != usual {
		t.Errorf("GOGC is %d afterwards, and was %d", now, usual)
	}
}
