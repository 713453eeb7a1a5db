package s3

import (
	"github.com/amplify-go/amplify/sandbox/internal/s3/checksum"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
)

// checksumXML has a checksum in the element of its algorithm.
type checksumXML struct {
	ChecksumCRC32     *string `xml:",omitempty"`
	ChecksumCRC32C    *string `xml:",omitempty"`
	ChecksumCRC64NVME *string `xml:",omitempty"`
	ChecksumMD5       *string `xml:",omitempty"`
	ChecksumSHA1      *string `xml:",omitempty"`
	ChecksumSHA256    *string `xml:",omitempty"`
	ChecksumSHA512    *string `xml:",omitempty"`
	ChecksumXXHASH128 *string `xml:",omitempty"`
	ChecksumXXHASH3   *string `xml:",omitempty"`
	ChecksumXXHASH64  *string `xml:",omitempty"`
	ChecksumType      string  `xml:",omitempty"`
}

// element returns the element of an algorithm.
func (c *checksumXML) element(a checksum.Algorithm) **string {
	switch a {
	case checksum.CRC32:
		return &c.ChecksumCRC32
	case checksum.CRC32C:
		return &c.ChecksumCRC32C
	case checksum.CRC64NVME:
		return &c.ChecksumCRC64NVME
	case checksum.MD5:
		return &c.ChecksumMD5
	case checksum.SHA1:
		return &c.ChecksumSHA1
	case checksum.SHA256:
		return &c.ChecksumSHA256
	case checksum.SHA512:
		return &c.ChecksumSHA512
	case checksum.XXHASH128:
		return &c.ChecksumXXHASH128
	case checksum.XXHASH3:
		return &c.ChecksumXXHASH3
	default:
		return &c.ChecksumXXHASH64
	}
}

func sumXML(c objects.Checksum) (x checksumXML) {
	if c.Value != "" {
		*x.element(checksum.Algorithm(c.Algorithm)) = &c.Value
		x.ChecksumType = c.Type
	}
	return x
}
