package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// TestUnlimitedAuthority keeps an authority without limits in the data directory, as versions
// before did: the sandbox replaces it.
func TestUnlimitedAuthority(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().AddDate(5, 0, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	old := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	cfg := Config{DataDir: t.TempDir(), TLSAddr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}
	startOnce := func() *Sandbox {
		s, err := Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := startOnce()
	st, err := store.Open(t.Context(), cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.SetMeta("ca "+strings.Join(s.hosts, " "),
			append(bytes.Clone(old), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})...))
	})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	fresh := startOnce()
	if bytes.Equal(fresh.CACertificate(), old) || !fresh.ca.Limited() {
		t.Error("the authority without limits is still in use")
	}
	if again := startOnce(); !bytes.Equal(again.CACertificate(), fresh.CACertificate()) {
		t.Error("the new authority was not kept")
	}
}
