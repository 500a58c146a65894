"""Hashes that other systems published, with their passwords: one or more of each scheme and each spelling."""

from __future__ import annotations

from typing import NamedTuple

SPECIAL = "táБℓə"  # UPASS_TABLE of libpass's tests


class Sample(NamedTuple):
    """A published hash; `salt` and `layout` where it does not say them itself."""

    scheme: str
    password: str
    text: str
    salt: str | None = None
    layout: str | None = None


# Openwall crypt_blowfish 1.3, wrapper.c, the tests without the workarounds of CVE-2011-2483.
OPENWALL_BCRYPT = (
    Sample("bcrypt", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    Sample("bcrypt", "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    Sample("bcrypt", "", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
    Sample(
        "bcrypt",
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
)
# The tests of passlib and libpass: test_handlers_bcrypt.py, _pbkdf2.py, _scrypt.py, test_handlers.py; the django ones
# are said there to be made by Django 1.6. The first scrypt ones are RFC 7914, section 12, cut to 32 bytes.
LIBPASS = (
    Sample("bcrypt", SPECIAL, "$2b$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG"),
    Sample(
        "passlib_bcrypt_sha256_v1",
        "",
        "$bcrypt-sha256$2a,5$E/e/2AOhqM5W/KJTFQzLce$F6dYSxOdAEoJZO2eoHUZWZljW/e0TXO",
    ),
    Sample(
        "passlib_bcrypt_sha256_v1",
        "abc123" * 12 + "qwr",
        "$bcrypt-sha256$2b,5$X1g1nh3g0v4h6970O68cxe$021KLEif6epjot5yoxk0m8I0929ohEa",
    ),
    Sample(
        "passlib_bcrypt_sha256",
        SPECIAL,
        "$bcrypt-sha256$v=2,t=2b,r=5$.US1fQ4TQS.ZTz/uJ5Kyn.$pzzgp40k8reM1CuQb03PvE0IDPQSdV6",
    ),
    Sample(
        "django_bcrypt_sha256",
        "",
        "bcrypt_sha256$$2a$06$/3OeRpbOf8/l6nPPRdZPp.nRiyYqPobEZGdNRBWihQhiFDh1ws1tu",
    ),
    Sample(
        "django_bcrypt_sha256",
        "abc123" * 12 + "xyz",
        "bcrypt_sha256$$2a$06$Tg/oYyZTyAf.Nb3qSgN61OvY2zoRVUa2Pugv2ExVOUT2YmhvxUFUa",
    ),
    Sample("pbkdf2_sha1", "password", "$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"),
    Sample(
        "pbkdf2_sha256",
        "password",
        "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
    ),
    Sample(
        "pbkdf2_sha512",
        "password",
        "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa1"
        "7k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
    ),
    Sample("scrypt", "", "$scrypt$ln=4,r=1,p=1$$d9ZXYjhleyA7GcpCwYoEl/FrSETjB0ro39/6P+3iFEI"),
    Sample("scrypt", "password", "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"),
    Sample(
        "scrypt",
        "nacl",
        "$scrypt$ln=1,r=4,p=2$yhnD+J+Tci4lZCwFgHCuVQ$fAsEWmxSHuC0cHKMwKVFPzrQukgvK09Sj+NueTSxKds",
    ),
    Sample("md5_crypt", "", "$1$dOHYPKoP$tnxS1T8Q6VVn3kpV8cN6o."),
    Sample("md5_crypt", SPECIAL, "$1$d6/Ky1lU$/xpf8m7ftmWLF.TjHCqel0"),
    Sample("phpass", "compL3X!", "$P$FiS0N5L672xzQx1rt1vgdJQRYKnQM9/"),
    Sample("phpass", "123456", "$H$9PE8jEklgZhgLmZl5.HYJAzfGCQtzi1"),
    Sample("layout", "testing1234", "{SMD5}UjFY34os/pnZQ3oQOzjqGu4yeXE="),
    Sample("layout", "helloworld", "{SHA}at+xg6SiyUovktq1redipHiJpaE="),
    Sample(
        "layout",
        "toomanysecrets",
        "{SSHA512}wExp4xjiCHS0zidJDC4UJq9EEeIebAQPJ1PWSwfhxWjfutI9XiiKuHm2AE41cEFfK+8HyI8bh+ztbczUGsvVFIgICWWPt7qu",
    ),
)
# phpass 0.5, test.php. Drepper, "Unix crypt using SHA-256 and SHA-512", its tests.
UNIX = (
    Sample("phpass", "test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    Sample("sha256_crypt", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    Sample(
        "sha256_crypt",
        "This is just a test",
        "$5$rounds=5000$toolongsaltstrin$Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5",
    ),
    Sample(
        "sha256_crypt",
        "a very much longer text to encrypt.  This one even stretches over morethan one line.",
        "$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
    ),
    Sample(
        "sha512_crypt",
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
)
# Django, tests/auth_tests/test_hashers.py of 4.1.
DJANGO = (
    Sample(
        "pbkdf2_sha256",
        "lètmein",
        "pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c=",
    ),
    Sample("pbkdf2_sha1", "lètmein", "pbkdf2_sha1$390000$seasalt2$aDapRanzW8aHTz97v2TcfHzWD+I="),
    Sample(
        "scrypt",
        "lètmein",
        "scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==",
    ),
    Sample("layout", "lètmein", "sha1$seasalt$cff36ea83f5706ce9aa7454e63e431fc726b2dc8"),
    Sample("layout", "lètmein", "md5$seasalt$3f86d0d3d465b7b458c231bf3555c0e3"),
    Sample("layout", "lètmein", "sha1$$6d138ca3ae545631b3abd71a4f076ce759c5700b"),
)
# werkzeug: tests/test_security.py of 0.14 (its plain MD5), and in its format RFC 6070, section 2, and RFC 7914,
# section 11 (cut to 32 bytes, the first block). The scrypt one is from the page of werkzeugsecuritycli on PyPI.
WERKZEUG = (
    Sample("layout", "default", "md5$$c21f969b5f03d33d43e04f8f136e7682"),
    Sample("pbkdf2_sha1", "password", "pbkdf2:sha1:4096$salt$4b007901b765489abead49d926f721d065a429c1"),
    Sample(
        "pbkdf2_sha256",
        "Password",
        "pbkdf2:sha256:80000$NaCl$4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
    ),
    Sample(
        "scrypt",
        "my-test-password-123",
        "scrypt:32768:8:1$pyMfKdIqwYxw0GOT$6d49052bdf9cffb2288d7cb198d7bed5566f284932dad0c74b3948866b146822"
        "0afd93e9aa17069c4a2403d33747e5e71981c3c552d751a0e249642b6641bac5",
    ),
)
# Spring Security: the documentation of DelegatingPasswordEncoder; MessageDigestPasswordEncoderTests and
# LdapShaPasswordEncoderTests. The one of 5.8 is from the log of github.com/making/blog.ik.am, content/00757.md.
SPRING = (
    Sample("bcrypt", "password", "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG"),
    Sample(
        "pbkdf2_sha1",
        "password",
        "{pbkdf2}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6bf3b508fbf17fa4ed4d6b99ca763d8dc",
    ),
    Sample(
        "pbkdf2_sha256",
        "password",
        "{pbkdf2@SpringSecurity_v5_8}932c1b5beaeddfa19f3f72272e5c69d0"
        "4fde8d7afc3fe096ecbb1e8b0839ea0e44ad4596d1ff05dd1e40087324292fc5",
    ),
    Sample(
        "scrypt",
        "password",
        "{scrypt}$e0801$8bWJaSu2IKSn9Z9kM+TPXfOc/9bdYSrN1oD9qfVThWEwdRTnO7re7Ei+fUZRJ68k9lTyuTeUp4of4g24hHnazw==$"
        "OAOec05+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc=",
    ),
    Sample(
        "spring_sha256",
        "password",
        "{sha256}97cde38028ad898ebc02e690819fa220e88c62e0699403e94fff291cfffaf8410849f27605abcbc0",
    ),
    Sample("layout", "abc123", "{MD5}{THIS_IS_A_SALT}a68aafd90299d0b137de28fb4bb68573"),
    Sample("layout", "abc123", "{MD5}{THIS_IS_A_SALT}poqv2QKZ0LE33ij7S7aFcw=="),
    Sample("layout", "password", "{MD5}{}f1026a66095fc2058c1f8771ed05d6da"),
    Sample("layout", "你好", "{MD5}7eca689f0d3389d9dea66ae112e5cfd7"),
    Sample("layout", "abc123", "{SHA-1}{THIS_IS_A_SALT}b2f50ffcbd3407fe9415c062d55f54731f340d32"),
    Sample(
        "layout",
        "abc123",
        "{SHA-256}{THIS_IS_A_SALT}4b79b7de23eb23b78cc5ede227d532b8a51f89b2ec166f808af76b0dbedc47d7",
    ),
    Sample("layout", "boabspasswurd", "{ldap}{SSHA}25ro4PKC8jhQZ26jVsozhX/xaP0suHgX"),
    Sample("layout", "boabspasswurd", "{ssha}PQy2j+6n5ytA+YlAKkM8Fh4p6u2JxfVd"),
    Sample("layout", "boabspasswurd", "{sha}ddSFGmjXYPbZC+NXR2kCzBRjqiE="),
)
# The OpenLDAP administrator's guide, section 14.4. hashcat's example hashes, modes 1411, 2611 and 2811. The last two:
# $ printf %s hashcat | openssl dgst -sha256 -binary | base64; printf %s saltpassword | openssl dgst -sm3
OTHERS = (
    Sample("md5_crypt", "secret", "{CRYPT}$1$czBJdDqS$TmkzUAb836oMxg/BmIwN.1"),
    Sample("layout", "secret", "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ=="),
    Sample("layout", "hashcat", "{SSHA256}OZiz0cnQ5hgyel3Emh7NCbhBRCQ+HVBwYplQunHYnER7TLuV"),
    Sample("layout", "hashcat", "16780ba78d2d5f02f3202901c1b6d975", "568", "md5(md5(password)+salt)"),
    Sample("layout", "hashcat", "8d2129083ef35f4b365d5d87487e1207", "47204", "md5(md5(salt)+md5(password))"),
    Sample("layout", "hashcat", "{SHA256}En5vv+JKdQ5ykwwiCo4TgnVla45dj0ipjDyS3yyrqTU="),
    Sample(
        "layout",
        "password",
        "E41D7359C3BE1CAD0AFEC73E92BE05D07ED7E5C3FC811B69A5915CC8B10EF23B",
        "hex:73616C74",
        "sm3(salt+password)",
    ),
)

ALL = (*OPENWALL_BCRYPT, *LIBPASS, *UNIX, *DJANGO, *WERKZEUG, *SPRING, *OTHERS)
