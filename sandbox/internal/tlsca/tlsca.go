// Package tlsca gives the sandbox a certificate authority
// of its own, so that clients can reach it by TLS.
//
// A developer who trusts the authority risks little. It can sign certificates of TLS servers
// alone, for the names that it was made for, for names below them, and for loopback addresses.
package tlsca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// CA is a certificate authority. It is immutable and safe for concurrent use.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Lives of certificates. The certificate of a server lives longer than a process.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 365 * 24 * time.Hour
)

// New makes an authority for these host names, for names below them, and for loopback addresses.
func New(names ...string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := certificate("Amplify sandbox CA", authorityLife)
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign
	// Clients apply an authority's extended key usage to all that it signs, though RFC 5280
	// §4.2.1.12 does not say so: its certificates are good for no client, e-mail or program.
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	// RFC 5280 §4.2.1.10
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = names
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &CA{cert, key}, err
}

// Limited reports whether the authority has the limits that [New] sets, and lives long
// enough to sign another certificate. Versions before did not set all of the limits.
func (ca *CA) Limited() bool {
	c := ca.cert
	return c.IsCA && c.MaxPathLen == 0 && c.MaxPathLenZero && c.KeyUsage == x509.KeyUsageCertSign &&
		slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) && len(c.UnknownExtKeyUsage) == 0 &&
		c.PermittedDNSDomainsCritical && len(c.PermittedDNSDomains) > 0 && len(c.PermittedIPRanges) == 2 &&
		time.Now().Add(serverLife).Before(c.NotAfter)
}

// Parse returns the authority that [CA.Marshal] wrote.
func Parse(text []byte) (*CA, error) {
	certBlock, rest := pem.Decode(text)
	keyBlock, _ := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil {
		return nil, errors.New("tlsca: not a certificate and a key in PEM")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("tlsca: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("tlsca: %w", err)
	}
	return &CA{cert, key}, nil
}

// Marshal writes certificate and private key in PEM.
func (ca *CA) Marshal() ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(ca.key)
	if err != nil {
		return nil, err
	}
	return append(ca.PEM(), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})...), nil
}

// PEM returns the certificate of the authority, which clients must trust.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// Certificate returns a server's certificate for host names and addresses, with its key. It is good
// for a year.
func (ca *CA) Certificate(hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := certificate("Amplify sandbox", serverLife)
	template.BasicConstraintsValid = true // and IsCA is false: it can sign nothing
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// certificate returns what all certificates have in common. Their times do not follow the sandbox's
// clock, because clients check them by their own.
func certificate(name string, life time.Duration) *x509.Certificate {
	serial := make([]byte, 16)
	_, _ = rand.Read(serial) // never fails (crypto/rand)
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(life),
	}
}
