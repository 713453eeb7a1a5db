package data_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/data"
)

// The texts of AWS's documentation, and what is not of their form.
func TestScalars(t *testing.T) {
	read := func(text string, v any) (string, error) {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			return "", err
		}
		again, err := json.Marshal(v)
		return string(again), err
	}
	for _, c := range []struct {
		kind, text string
		again      string // what is written, if not the text; "!" if the text is refused
	}{
		{"date", `"1970-01-01"`, ""},
		{"date", `"1970-01-01Z"`, ""},
		{"date", `"1970-01-01-07:00"`, ""},
		{"date", `"1970-01-01+05:30"`, ""},
		{"date", `"1970-01-01+05:30:10"`, ""},
		{"date", `"2024-02-29"`, ""},
		{"date", `"2023-02-29"`, "!"},
		{"date", `"1970-1-1"`, "!"},
		{"date", `"1970-01-01T00:00:00Z"`, "!"},
		{"date", `"1970-01-01+5"`, "!"},
		{"date", `""`, "!"},
		{"date", `1970`, "!"},
		{"time", `"12:30:24"`, ""},
		{"time", `"12:30:24.500"`, ""},
		{"time", `"12:30:24.500000001"`, ""},
		{"time", `"12:30:24.5"`, `"12:30:24.500"`},
		{"time", `"12:30"`, `"12:30:00"`},
		{"time", `"12:30:24Z"`, ""},
		{"time", `"12:30:24.500+05:30"`, ""},
		{"time", `"12:30:24-07:00:15"`, ""},
		{"time", `"12:30-07:00"`, `"12:30:00-07:00"`},
		{"time", `"24:00:00"`, "!"},
		{"time", `"12:30:24+99:00"`, "!"},
		{"time", `"noon"`, "!"},
		{"time", `""`, "!"},
		{"timestamp", `0`, ""},
		{"timestamp", `1714557600`, ""},
		{"timestamp", `-1`, ""},
		{"timestamp", `1.5`, "!"},
		{"timestamp", `"1"`, "!"},
		{"json", `"{\"a\":[1,null]}"`, ""},
		{"json", `"null"`, ""},
		{"json", `"1 2"`, "!"},
		{"json", `{"a":1}`, "!"},
		{"json", `""`, "!"},
	} {
		var v any
		switch c.kind {
		case "date":
			v = &data.Date{}
		case "time":
			v = &data.TimeOfDay{}
		case "timestamp":
			v = &data.Timestamp{}
		case "json":
			v = &data.JSON[any]{}
		}
		got, err := read(c.text, v)
		want := c.again
		if want == "" {
			want = c.text
		}
		if (want == "!") != (err != nil) || err == nil && got != want {
			t.Errorf("%s %s: %s, %v", c.kind, c.text, got, err)
		}
	}
	// Null leaves a value as it is, as encoding/json has it.
	stamp, raw := data.Timestamp{Time: time.Unix(5, 0)}, data.JSON[int]{V: 5}
	if a, b := json.Unmarshal([]byte("null"), &stamp), json.Unmarshal([]byte("null"), &raw); a != nil || b != nil || stamp.Unix() != 5 || raw.V != 5 {
		t.Error(a, b, stamp, raw)
	}
	if got := data.DateOf(time.Date(2024, 5, 17, 23, 0, 0, 0, time.FixedZone("", -3600))); got.String() != "2024-05-17" {
		t.Error(got)
	}
	if _, err := json.Marshal(data.TimeOfDay{Hour: 25}); err == nil {
		t.Error("a time that is none was written")
	}
	if err := json.Unmarshal([]byte(`"x"`), &raw); err == nil || !strings.Contains(err.Error(), "AWSJSON") {
		t.Error(err)
	}
}

// FuzzScalars: what is read is written so that it is read as the same.
func FuzzScalars(f *testing.F) {
	for _, s := range []string{"2024-05-17", "1970-01-01+05:30", "12:30:24.5-07:00:15", "12:30", "24:60", "0000-01-01Z", "12:30:24,5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d, d2 data.Date
		if d.UnmarshalText([]byte(text)) == nil {
			written, err := d.MarshalText()
			if err != nil || d2.UnmarshalText(written) != nil || d != d2 {
				t.Errorf("%q became %s: %v", text, written, err)
			}
		}
		var c, c2 data.TimeOfDay
		if c.UnmarshalText([]byte(text)) == nil {
			written, err := c.MarshalText()
			if err != nil || c2.UnmarshalText(written) != nil || c != c2 {
				t.Errorf("%q became %s: %v", text, written, err)
			}
		}
	})
}

func ExampleJSON() {
	type settings struct{ Dark bool }
	var studio struct {
		Name     string
		Settings data.JSON[settings]
	}
	answer := `{"name": "North", "settings": "{\"Dark\":true}"}` // AWSJSON is a string
	if err := json.Unmarshal([]byte(answer), &studio); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(studio.Settings.V.Dark)
	// Output: true
}
