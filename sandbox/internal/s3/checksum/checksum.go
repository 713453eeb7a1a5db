// Package checksum has the checksums of S3 (Amazon S3 User Guide, "Checking
// object integrity"), and tells how those of parts become that of the whole.
package checksum

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/zeebo/xxh3"
)

// Algorithm is the name of an algorithm in S3's API.
type Algorithm string

// Algorithms.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	MD5       Algorithm = "MD5"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
	SHA512    Algorithm = "SHA512"
	XXHASH128 Algorithm = "XXHASH128"
	XXHASH3   Algorithm = "XXHASH3"
	XXHASH64  Algorithm = "XXHASH64"
)

// Types of the checksum of an object that was uploaded in parts.
const (
	// FullObject is the checksum of all bytes.
	FullObject = "FULL_OBJECT"
	// Composite is the checksum of the checksums of the parts, with their number.
	Composite = "COMPOSITE"
)

// polyNVME is the polynomial of CRC-64/NVME (NVM Express, NVM Command Set), lowest power last.
const polyNVME = 0x9a6c9329ac4bc9b5

// All returns all algorithms.
func All() []Algorithm {
	return []Algorithm{CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3,
		XXHASH64}
}

// Parse returns the algorithm with that name, in any case.
func Parse(name string) (Algorithm, bool) {
	for _, a := range All() {
		if strings.EqualFold(string(a), name) {
			return a, true
		}
	}
	return "", false
}

// Header returns the name of the header with a checksum, in lower case.
func (a Algorithm) Header() string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// FullObject tells whether the checksum of a whole follows from those of
// its parts. For such algorithms S3 offers the type [FullObject].
func (a Algorithm) FullObject() bool { return a == CRC32 || a == CRC32C || a == CRC64NVME }

// New returns a new hash.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64.New(crc64.MakeTable(polyNVME))
	case MD5:
		return md5.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case XXHASH128:
		return xxh3.New128()
	case XXHASH3:
		return xxh3.New()
	case XXHASH64:
		return xxhash.New()
	}
	panic(fmt.Sprintf("checksum: no algorithm %q", string(a)))
}

// Encode returns a sum as S3 writes it.
func Encode(h hash.Hash) string { return base64.StdEncoding.EncodeToString(h.Sum(nil)) }

// Valid tells whether value has the form of a sum.
func (a Algorithm) Valid(value string) bool {
	sum, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(sum) == a.New().Size()
}

// Composed returns the checksum of type [Composite] of parts with these sums.
func (a Algorithm) Composed(sums []string) string {
	h := a.New()
	for _, s := range sums {
		h.Write(decode(s))
	}
	return fmt.Sprintf("%s-%d", Encode(h), len(sums))
}

// Append returns the checksum of bytes with the sum first
// that are followed by size bytes with the sum second.
func (a Algorithm) Append(first, second string, size int64) string {
	one, two := decode(first), decode(second)
	shifted := a.polynomial().shift(number(one), size)
	sum := make([]byte, 8)
	binary.BigEndian.PutUint64(sum, shifted^number(two))
	return base64.StdEncoding.EncodeToString(sum[8-len(one):])
}

// decode returns the bytes of a sum that is [Algorithm.Valid].
func decode(sum string) []byte {
	text, err := base64.StdEncoding.DecodeString(sum)
	if err != nil {
		panic(fmt.Sprintf("checksum: %q: %v", sum, err))
	}
	return text
}

func number(sum []byte) uint64 {
	var eight [8]byte
	copy(eight[8-len(sum):], sum)
	return binary.BigEndian.Uint64(eight[:])
}

// polynomial is the polynomial of a cyclic redundancy check of some
// number of bits. Their coefficients, and those of all others below, are
// bits, that of the highest power in the lowest bit.
type polynomial struct {
	coefficients uint64
	bits         uint
}

func (a Algorithm) polynomial() polynomial {
	switch a {
	case CRC32:
		return polynomial{crc32.IEEE, 32}
	case CRC32C:
		return polynomial{crc32.Castagnoli, 32}
	case CRC64NVME:
		return polynomial{polyNVME, 64}
	}
	panic(fmt.Sprintf("checksum: %q is no cyclic redundancy check", string(a)))
}

// shift returns what the check sum of some bytes contributes to that of the same bytes with size
// more behind them: its product with x to the power of 8·size. (The idea is Mark Adler's, in zlib's
// crc32_combine.)
func (p polynomial) shift(sum uint64, size int64) uint64 {
	power := uint64(1) << (p.bits - 2) // x
	for n := 8 * uint64(size); n > 0; n >>= 1 {
		if n&1 == 1 {
			sum = p.multiply(sum, power)
		}
		power = p.multiply(power, power)
	}
	return sum
}

// multiply returns a·b modulo the polynomial.
func (p polynomial) multiply(a, b uint64) (product uint64) {
	for bit := uint64(1) << (p.bits - 1); bit > 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry == 1 {
			b ^= p.coefficients
		}
	}
	return product
}
