package database

import (
	"fmt"
	"time"
)

// Instant is a time as stored: milliseconds since 1970 UTC. Zero is "never" and stands
// for NULL: tag a nullable column `bun:",nullzero"`; scanning NULL gives zero.
type Instant int64

// At is t to the millisecond; the zero time is the zero Instant.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMilli())
}

// Time is the instant in UTC, the zero time for zero.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

// IsZero says whether the instant is "never".
func (i Instant) IsZero() bool { return i == 0 }

// OrNil is the instant in UTC for an answer that may have none; nil for zero.
func (i Instant) OrNil() *time.Time {
	if i == 0 {
		return nil
	}
	at := i.Time()
	return &at
}

// OrNull is the instant as an argument of a [Statement] for a nullable column.
func (i Instant) OrNull() any {
	if i == 0 {
		return nil
	}
	return int64(i)
}

// Scan reads a BIGINT column; NULL becomes zero.
func (i *Instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*i = 0
	case int64:
		*i = Instant(value)
	default:
		return fmt.Errorf("database: %T is not an instant", value)
	}
	return nil
}
