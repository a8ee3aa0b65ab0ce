"""Map projections and geodesy: Vincenty inverse, transverse Mercator by Krueger series and Clenshaw, ECEF, GNSS least squares with clock bias, DOP; cmath and degrees."""
import math, cmath
import numpy as np
from math import sin, cos, tan, atan, atan2, sqrt, radians, degrees, pi
A, F = 6378.137, 1/298.257223563
B = A*(1 - F); E2 = F*(2 - F)
X = np.array([48.1, 11.5, 52.5, 13.4, .2])
def vincenty(lat1, lon1, lat2, lon2):
    U1, U2 = atan((1 - F)*tan(radians(lat1))), atan((1 - F)*tan(radians(lat2)))
    L = lam = radians(lon2 - lon1)
    for _ in range(100):
        ss = sqrt((cos(U2)*sin(lam))**2 + (cos(U1)*sin(U2) - sin(U1)*cos(U2)*cos(lam))**2)
        cs = sin(U1)*sin(U2) + cos(U1)*cos(U2)*cos(lam)
        sg = atan2(ss, cs)
        sa = cos(U1)*cos(U2)*sin(lam)/ss; c2a = 1 - sa**2
        c2m = cs - 2*sin(U1)*sin(U2)/c2a
        C = F/16*c2a*(4 + F*(4 - 3*c2a))
        old, lam = lam, L + (1 - C)*F*sa*(sg + C*ss*(c2m + C*cs*(-1 + 2*c2m**2)))
        if abs(lam - old) < 1e-13: break
    u2 = c2a*(A**2 - B**2)/B**2
    k1 = (sqrt(1 + u2) - 1)/(sqrt(1 + u2) + 1)
    AA, BB = (1 + k1**2/4)/(1 - k1), k1*(1 - 3*k1**2/8)
    ds = BB*ss*(c2m + BB/4*(cs*(-1 + 2*c2m**2) - BB/6*c2m*(-3 + 4*ss**2)*(-3 + 4*c2m**2)))
    az = degrees(atan2(cos(U2)*sin(lam), cos(U1)*sin(U2) - sin(U1)*cos(U2)*cos(lam))) % 360
    return B*AA*(sg - ds), az
def clenshaw(c, z):
    b1 = b2 = 0
    for ck in reversed(c): b1, b2 = ck + 2*cmath.cos(2*z)*b1 - b2, b1
    return b1*cmath.sin(2*z)
def utm(lat, lon, lon0=9.):
    n = F/(2 - F); R = A/(1 + n)*(1 + n*n/4 + n**4/64)
    phi, l = math.radians(lat), math.radians(lon - lon0); e = math.sqrt(E2)
    t = math.sinh(math.atanh(math.sin(phi)) - e*math.atanh(e*math.sin(phi)))
    z = math.atan2(t, math.cos(l)) + 1j*math.asinh(math.sin(l)/math.hypot(t, math.cos(l)))
    c = [n/2 - 2*n*n/3 + 5*n**3/16, 13*n*n/48 - 3*n**3/5, 61*n**3/240]
    w = z + clenshaw(c, z)
    return .9996*R*w.imag + 500, .9996*R*w.real
def ecef(lat, lon, h=0.):
    lat, lon = np.radians(lat), np.radians(lon); N = A/np.sqrt(1 - E2*np.sin(lat)**2)
    return np.array([(N + h)*np.cos(lat)*np.cos(lon), (N + h)*np.cos(lat)*np.sin(lon), (N*(1 - E2) + h)*np.sin(lat)])
def to_lla(p):
    x, y, z = p; r = np.hypot(x, y); lat = np.arctan2(z, r*(1 - E2))
    for _ in range(6):
        N = A/math.sqrt(1 - E2*math.sin(lat)**2); h = r/math.cos(lat) - N
        lat = math.atan2(z, r*(1 - E2*N/(N + h)))
    return degrees(lat), degrees(atan2(y, x)), h
SATS = 26000*np.array([[.6, .1, .79], [.8, -.3, .52], [.5, .6, .62], [.9, .2, .38], [.3, -.2, .93]])
def position(rho):
    p = np.zeros(4); p[2] = A
    for k in range(10):
        d = SATS - p[:3]; r = np.sqrt((d*d).sum(1))
        H = np.c_[-d/r[:, None], np.ones(len(r))]
        dx, *_ = np.linalg.lstsq(H, rho - r - p[3], rcond=None)
        p += dx
        if math.sqrt(dx @ dx) < 1e-8: break
    Q = np.linalg.inv(H.T @ H)
    return p, math.sqrt(Q.trace()), np.sqrt(np.diag(Q)[:3].sum())
def main(x):
    d, az = vincenty(*x[:4])
    rho = np.linalg.norm(SATS - ecef(x[0], x[1], x[4]), axis=1) + .1 + .01*np.arange(5)*x[4]
    p, gdop, pdop = position(rho)
    lla = to_lla(p[:3])
    print("%.3f km at %.2f deg; %s; gdop %.2f" % (d, az, ", ".join(format(v, ".6f") for v in lla), gdop))
    return d, az, utm(x[0], x[1]), lla, p, gdop, pdop
