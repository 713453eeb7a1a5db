package scalars_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify/sandbox/internal/appsync/scalars"
)

func TestParse(t *testing.T) {
	for name, values := range map[string]map[any]bool{
		"String":  {"": true, int64(1): false, true: false},
		"ID":      {"a": true, int64(5): true, 1.5: false},
		"Boolean": {true: true, "true": false},
		"Int": {int64(1<<31 - 1): true, int64(1 << 31): false, int64(-1 << 31): true,
			2.0: true, 2.5: false, "1": false},
		"Float":        {int64(3): true, 2.5: true, "1": false},
		"AWSTimestamp": {int64(1 << 40): true, "1": false, 1.5: false},
		"AWSDate": {"2024-02-29": true, "2023-02-29": false, "2024-01-01Z": true,
			"2024-01-01-07:00:30": true,
			"2024-01-01+24:00":    false, "2024-1-1": false, "2024-01-01T00:00:00Z": false},
		"AWSTime": {"10:11": true, "10:11:12.123456789": true, "10:11:12.1234567890": false,
			"10:11:12.":   false,
			"10:11+05:30": true, "24:00": false, "10:60": false, " 10:11": false},
		"AWSDateTime": {"2024-05-01T10:00Z": true, "2024-05-01T10:00:00.5+02:00": true,
			"2024-05-01T10:00:00": false,
			"2024-02-30T10:00Z":   false, "2024-05-01t10:00Z": false, int64(1): false},
		"AWSEmail": {"a+b@x.example.com": true, "A <a@example.com>": false, "a@b@c": false},
		"AWSURL": {"mailto:a@b.c": true, "https://a.b/c?d": true, "https://a.b//c": false,
			"a.b/c": false},
		"AWSPhone": {"202-555-0123": true, "12025550123": true, "5550123": false,
			"+41446681800": true, "+x": false},
		"AWSIPAddress": {"10.0.0.0/8": true, "fe80::1": true, "fe80::1%eth0": false,
			"1.2.3.4/33": false, "1.2.3.04": false},
		"AWSJSON": {`{"a":1}`: true, `1 2`: false, ``: false, `1e999`: false},
	} {
		for value, want := range values {
			if _, err := scalars.Parse(name, value); (err == nil) != want {
				t.Errorf("%s %#v: %v", name, value, err)
			}
		}
	}
}

// TestRoundTrip: what is kept of a value gives the value back.
func TestRoundTrip(t *testing.T) {
	for name, tt := range map[string][2]any{
		"AWSJSON": {`{ "b": [1, 1.5, "<", null], "a": 1e2 }`,
			`{"a":100,"b":[1,1.5,"<",null]}`},
		"ID":           {int64(5), "5"},
		"Float":        {3.0, int64(3)},
		"AWSTimestamp": {int64(-1), int64(-1)},
		"AWSPhone":     {"+41 44 668 18 00", "+41 44 668 18 00"},
	} {
		kept, err := scalars.Parse(name, tt[0])
		if err != nil {
			t.Fatal(err)
		}
		given, err := scalars.Serialize(name, kept)
		if diff := cmp.Diff(tt[1], given); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for name, value := range map[string]any{"Int": "1", "Boolean": int64(1), "AWSDate": int64(1),
		"String": []any{}, "Float": "x"} {
		if v, err := scalars.Serialize(name, value); err == nil {
			t.Errorf("%s: %#v is given as %#v", name, value, v)
		}
	}
}

// FuzzParse: no text makes a check panic, and what is kept of it can be given back.
func FuzzParse(f *testing.F) {
	names := []string{"AWSDate", "AWSTime", "AWSDateTime", "AWSEmail", "AWSURL", "AWSPhone",
		"AWSIPAddress", "AWSJSON"}
	for _, text := range []string{"2024-02-29T10:00:00.5+02:00", "a@b.c", "https://a.b/c",
		"+1 (202) 555-0123", "::1/64", `{"a":[1e3]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range names {
			kept, err := scalars.Parse(name, text)
			if err != nil || kept == nil {
				continue
			}
			if _, err := scalars.Serialize(name, kept); err != nil {
				t.Errorf("%s %q: %v", name, text, err)
			}
		}
	})
}
