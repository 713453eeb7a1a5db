package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A scalar of AWS is a string on the wire, except AWSTimestamp. A Go string takes each as it is.
// Besides, an AWSDateTime fits a [time.Time], which is sent in UTC with milliseconds, as JavaScript
// does: texts of that form are in the order of their times. An AWSIPAddress fits a [netip.Addr] or,
// with its bits, a [netip.Prefix]. The types of this file are for the others.
//
// https://docs.aws.amazon.com/appsync/latest/devguide/scalars.html

// Date is a day: an AWSDate, such as "2024-05-17".
type Date struct {
	Year  int
	Month time.Month
	Day   int
	// Offset is the offset from UTC that the text has, such as "Z" or "+05:30". Mostly it is empty.
	Offset string
}

// DateOf returns the day of a time in its location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// String returns the date as AppSync writes it.
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d%s", d.Year, int(d.Month), d.Day, d.Offset)
}

// MarshalText returns the date as AppSync writes it, or an error if there is no such day.
func (d Date) MarshalText() ([]byte, error) {
	text := d.String()
	var again Date
	if err := again.UnmarshalText([]byte(text)); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// UnmarshalText reads an AWSDate.
func (d *Date) UnmarshalText(text []byte) error {
	day, offset, err := cutOffset(string(text), len(time.DateOnly))
	t, parsed := time.Parse(time.DateOnly, day)
	if err := errors.Join(err, parsed); err != nil {
		return fmt.Errorf("%.40q is no AWSDate, such as \"2024-05-17\"", text)
	}
	*d = DateOf(t)
	d.Offset = offset
	return nil
}

// TimeOfDay is a time without a day: an AWSTime, such as "09:30:00".
type TimeOfDay struct {
	Hour, Minute, Second, Nanosecond int
	// Offset is the offset from UTC that the text has, such as "Z" or "+05:30". Mostly it is empty.
	Offset string
}

// String returns the time as AppSync writes it. It has a fraction if there is one.
func (t TimeOfDay) String() string {
	s := fmt.Sprintf("%02d:%02d:%02d", t.Hour, t.Minute, t.Second)
	if t.Nanosecond != 0 {
		fraction := fmt.Sprintf("%09d", t.Nanosecond)
		for strings.HasSuffix(fraction, "000") {
			fraction = fraction[:len(fraction)-3]
		}
		s += "." + fraction
	}
	return s + t.Offset
}

// MarshalText returns the time as AppSync writes it, or an error if there is no such time.
func (t TimeOfDay) MarshalText() ([]byte, error) {
	text := t.String()
	var again TimeOfDay
	if err := again.UnmarshalText([]byte(text)); err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// UnmarshalText reads an AWSTime.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	clock, offset, err := cutOffset(string(text), strings.IndexAny(string(text)+"Z", "Z+-"))
	layout := time.TimeOnly // which also takes a fraction
	if len(clock) == len("15:04") {
		layout = "15:04"
	}
	parsed, failed := time.Parse(layout, clock)
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("%.40q is no AWSTime, such as \"09:30:00\"", text)
	}
	*t = TimeOfDay{parsed.Hour(), parsed.Minute(), parsed.Second(), parsed.Nanosecond(), offset}
	return nil
}

// cutOffset cuts the offset off a text that has one from position n on.
func cutOffset(text string, n int) (before, offset string, err error) {
	if len(text) < n {
		return text, "", nil
	}
	before, offset = text[:n], text[n:]
	if offset == "" || offset == "Z" {
		return before, offset, nil
	}
	layout := "-07:00"
	if len(offset) > len(layout) {
		layout = "-07:00:00"
	}
	_, err = time.Parse(layout, offset)
	return before, offset, err
}

// Timestamp is an AWSTimestamp: on the wire, the seconds since 1970-01-01T00:00:00Z.
type Timestamp struct{ time.Time }

// MarshalJSON returns the seconds. Fractions of a second are left out.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, t.Unix(), 10), nil
}

// UnmarshalJSON reads the seconds. The time is in UTC.
func (t *Timestamp) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	seconds, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fmt.Errorf("%.40q is no AWSTimestamp, a number of seconds", raw)
	}
	t.Time = time.Unix(seconds, 0).UTC()
	return nil
}

// JSON is an AWSJSON: any value, which is on the wire a string that holds its JSON. A pointer to a
// JSON is nil for a field that is null.
//
//	type Studio struct {
//		Settings data.JSON[Settings]
//	}
type JSON[T any] struct{ V T }

// MarshalJSON returns the JSON of V as a string.
func (j JSON[T]) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(j.V)
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(text))
}

// UnmarshalJSON reads V from the JSON in a string.
func (j *JSON[T]) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("an AWSJSON is no string: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &j.V); err != nil {
		return fmt.Errorf("an AWSJSON does not hold what its Go type takes: %w", err)
	}
	return nil
}

// scalarName tells which scalar a JSON is for, whatever its T.
func (JSON[T]) scalarName() string { return "AWSJSON" }
