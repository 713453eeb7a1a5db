package checksum

import (
	"fmt"
	"testing"
)

func sum(a Algorithm, text string) string {
	h := a.New()
	h.Write([]byte(text))
	return Encode(h)
}

// TestKnownAnswers: the check values of "123456789" from the catalogue of
// parametrised CRC algorithms (CRC-32/ISO-HDLC cbf43926, CRC-32/ISCSI e3069283,
// CRC-64/NVME ae8b14860a799888), and of RFC 3174 and FIPS 180-4's "abc".
func TestKnownAnswers(t *testing.T) {
	for _, tt := range []struct {
		a          Algorithm
		text, want string
	}{
		{CRC32, "123456789", "y/Q5Jg=="}, {CRC32C, "123456789", "4waSgw=="},
		{CRC64NVME, "123456789", "rosUhgp5mIg="},
		{SHA1, "abc", "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
		{SHA256, "abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="},
	} {
		if got := sum(tt.a, tt.text); got != tt.want {
			t.Errorf("%s of %q is %s, want %s", tt.a, tt.text, got, tt.want)
		}
		if !tt.a.Valid(tt.want) || tt.a.Valid(tt.want[1:]) || tt.a.Valid("AA==") || tt.a.Valid("") {
			t.Errorf("%s: Valid", tt.a)
		}
		if got, ok := Parse(fmt.Sprint(tt.a)); !ok || got != tt.a {
			t.Errorf("Parse(%q) = %q, %v", tt.a, got, ok)
		}
	}
	if _, ok := Parse("CRC16"); ok {
		t.Error("there is no CRC16")
	}
}

func TestComposed(t *testing.T) {
	parts := []string{sum(SHA256, "a"), sum(SHA256, "b")}
	want := sum(SHA256, string(decode(parts[0]))+string(decode(parts[1]))) + "-2"
	if got := SHA256.Composed(parts); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("first", "second")
	f.Add("", "x")
	f.Add("x", "")
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, a := range All() {
			if !a.FullObject() {
				continue
			}
			want := sum(a, first+second)
			if got := a.Append(sum(a, first), sum(a, second), int64(len(second))); got != want {
				t.Errorf("%s of %q and %q: %s, want %s", a, first, second, got, want)
			}
		}
	})
}
