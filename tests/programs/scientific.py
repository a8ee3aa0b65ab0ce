"""Programs of many fields of science, as they are written in a hurry; tests/test_idioms.py runs and differentiates each."""
import numpy as np

try: from scipy.spatial import cKDTree
except ImportError: cKDTree = None
import math
from numpy import *
from math import sqrt as msqrt, pi
import functools, copy

WORK = np.zeros((5,5)); TABLE = np.linspace(0,1,11)
CACHE = {}

def qr_ls(x):
    A = np.vander(np.linspace(0,1,6), 3)*x[0]
    b = np.sin(np.linspace(0,1,6)*x[1])
    q,r = np.linalg.qr(A); c = np.linalg.solve(r, q.T.dot(b))
    return c

def spectral(x):
    n=16; g=np.linspace(0,2*pi,n,endpoint=False)
    u=np.exp(x[0]*np.sin(g)); k=np.fft.fftfreq(n,1./n)
    for _ in range(3):
        uh=np.fft.fft(u); ux=np.real(np.fft.ifft(1j*k*uh)); u=u-0.01*u*ux+x[1]*0.001*np.fft.ifft(-(k**2)*uh).real
    return u

def montecarlo(x):
    rng=np.random.default_rng(3); z=rng.standard_normal((200,2))
    s=x[0]*np.exp((x[1]-0.5*x[2]**2)+x[2]*z[:,0])
    pay=np.maximum(s-0.2,0); return pay.mean()

def mcmc_seeded(x):
    np.random.seed(0); tot=0.
    for _ in range(5):
        e=np.random.normal(size=5); tot+=((x+0.1*e)**2).sum()
    return tot

class Body:
    def __init__(self,m,p,v): self.m=m; self.p=p; self.v=v
    def kick(self,a,dt): self.v += a*dt
    def drift(self,dt): self.p += self.v*dt

def nbody(x):
    bs=[Body(1.0,np.array([0.,0.]),np.array([0.,x[0]])),Body(x[1],np.array([1.,0.]),np.array([0.,1.]))]
    for _ in range(5):
        for b in bs:
            acc=np.zeros(2)
            for o in bs:
                if o is b: continue
                d=o.p-b.p; r=msqrt(d[0]**2+d[1]**2); acc+=o.m*d/r**3
            b.kick(acc,0.01)
        for b in bs: b.drift(0.01)
    return np.array([b.p for b in bs]).ravel()

def rk4(f,y,t,dt,*a):
    k1=f(y,t,*a); k2=f(y+dt/2*k1,t+dt/2,*a); k3=f(y+dt/2*k2,t+dt/2,*a); k4=f(y+dt*k3,t+dt,*a)
    return y+dt/6*(k1+2*k2+2*k3+k4)
def lorenz(x):
    def rhs(s,t,sig,rho,beta):
        out=np.empty_like(s); out[0]=sig*(s[1]-s[0]); out[1]=s[0]*(rho-s[2])-s[1]; out[2]=s[0]*s[1]-beta*s[2]
        return out
    y=np.ones(3); hist=[y]
    for i in range(10):
        y=rk4(rhs,y,0,0.01,x[0],x[1],x[2]); hist.append(y)
    return np.asarray(hist)[-1]

def work_global(x):
    global WORK
    WORK[:]=0; WORK[0]=x; WORK[1:3]=WORK[0]*2; W=WORK.T; W[0]*=3; return WORK.sum(axis=1)

def interp_table(x):
    return np.interp(x*0.1,TABLE,TABLE**2)

def memo(x):
    key=len(x)
    if key not in CACHE: CACHE[key]=np.zeros(key)
    buf=CACHE[key]; buf[...]=x**2; buf[0]+=buf[1]; return buf.copy()

def newton(x):
    y=x[0]; it=0
    while True:
        f=y**3-x[1]*y-x[2]; d=3*y**2-x[1]; step=f/d; y=y-step; it+=1
        if abs(step)<1e-14 or it>60: break
    return y

def string_fmt(x):
    s="%.1f %5.1g"%(x[0],x[1]); n=len(s); print_ = f"{x[0]:.2e} {x}" + str(x[1])
    return x.sum()*n

def sorting(x):
    idx=np.argsort(x)[::-1]; top=x[idx[:2]]; lst=sorted(list(x)); return np.array([top[0]*top[1], lst[0]**2, max(x), min(x), sum(x)])

def listcomp(x):
    a=[xi**2 for xi in x]; b=[[math.sin(u)*v for u in x[:2]] for v in x[:3]]
    return np.array(a).sum()+np.sum(np.array(b)*2.0)+functools.reduce(lambda p,q:p*q,x)

def generators(x):
    def gen():
        t=0.
        for v in x: t=t+v; yield t
    return np.fromiter(gen(),float)

def ix(x):
    m=np.outer(x,x); m[np.ix_([0,1],[1,2])]*=2; m[np.diag_indices(3)]+=x[:3]; m[np.triu_indices(3,1)]=0; return m

def strided(x):
    u=np.zeros(12); u[::2]=np.repeat(x[:3],2); v=u.reshape(3,4); v[:,::-1][:, :2]+=1; w=np.lib.stride_tricks.sliding_window_view(u,3); return w.sum(axis=1)*u[:10]

def poly(x):
    p=np.poly1d(x[:3]); r=np.roots([1.0,-x[0]-x[1],x[0]*x[1]]); return np.array([p(0.7),np.polyval(x,1.3),np.sort(r)[0],np.sort(r)[1]])

def logsum(x):
    m=np.max(x); return m+np.log(np.sum(np.exp(x-m)))

def kalman(x):
    F=np.array([[1.,1.],[0,1.]]); H=np.array([[1.,0.]]); Q=x[0]*np.eye(2); R=np.array([[x[1]]]); P=np.eye(2); s=np.zeros((2,1)); ll=0.0
    for z in (1.0,2.1,2.9,4.2):
        s=F@s; P=F@P@F.T+Q; S=H@P@H.T+R; K=P@H.T@np.linalg.inv(S); y=np.array([[z]])-H@s; s=s+K@y; P=(np.eye(2)-K@H)@P
        ll+=-0.5*(np.log(np.linalg.det(S))+(y.T@np.linalg.inv(S)@y)[0,0])
    return ll

def gp(x):
    t=np.linspace(0,1,6); K=x[0]**2*np.exp(-0.5*((t[:,None]-t[None,:])/x[1])**2)+ (x[2]**2+1e-6)*np.eye(6); L=np.linalg.cholesky(K); a=np.linalg.solve(L.T,np.linalg.solve(L,np.sin(t))); return 0.5*np.sin(t)@a+np.sum(np.log(np.diag(L)))

def deepcopy_state(x):
    st={'u':x.copy(),'hist':[]}
    for i in range(3):
        st['hist'].append(copy.deepcopy(st['u'])); st['u'][1:]+=0.1*st['u'][:-1]
    return np.concatenate(st['hist'])+np.tile(st['u'],3)

def inplace_args(a):
    n=len(a)
    for i in range(1,n): a[i]-=0.5*a[i-1]
    for i in range(n-2,-1,-1): a[i]=(a[i]-0.1*a[i+1])/2
    return a

def where_chain(x):
    y=np.where(x>0.5,np.log(x),x**2); y=np.select([y<0,y<0.2],[-y,y*2],default=1.0/x); y[y>1]=np.sqrt(y[y>1]); return np.clip(y,0.1,0.9)+np.sign(x)*np.floor(x)

def cumul(x):
    return np.cumsum(x)[-1]*np.cumprod(x)+np.diff(x,prepend=0)*np.gradient(x)+np.convolve(x,[1,2,1],'same')

def cplx(x):
    z=x[0]+1j*x[1]; w=np.array([z,z**2,np.exp(1j*x[2])]); return np.abs(w)**2+np.angle(w)

def einsum_net(x):
    W=np.arange(15.).reshape(3,5)/10; h=np.tanh(np.einsum('ij,j->i',W,x)); o=np.einsum('i,j->ij',h,h); return np.trace(o)+np.linalg.norm(o)+np.linalg.norm(x,1)

def table_lookup(x):
    i=int(x[0]*10)%10; f=x[0]*10-math.floor(x[0]*10); return TABLE[i]*(1-f)+TABLE[i+1]*f + x[1]*np.round(x[2],1)

def tridiag(x):
    n=len(x); a=np.ones(n-1)*-1; b=2+x; c=np.ones(n-1)*-1; d=np.arange(1.,n+1); bb=b.copy(); dd=d.copy()
    for i in range(1,n):
        w=a[i-1]/bb[i-1]; bb[i]=bb[i]-w*c[i-1]; dd[i]=dd[i]-w*dd[i-1]
    u=np.empty(n); u[-1]=dd[-1]/bb[-1]
    for i in range(n-2,-1,-1): u[i]=(dd[i]-c[i]*u[i+1])/bb[i]
    return u

def svd_cond(x):
    m=np.outer(x,x)+np.diag(x+1); u,s,vt=np.linalg.svd(m); return np.array([s[0]/s[-1],np.linalg.cond(m),np.linalg.pinv(m).sum(),np.linalg.matrix_power(m,3).trace()])

def ufunc_meth(x):
    o=np.zeros(4); np.add.at(o,[0,1,1,3],x[:4]); return np.multiply.outer(o,x).sum(0)+np.add.reduceat(x,[0,2]).sum()+np.maximum.accumulate(x)+np.hypot.reduce(x)

def vectorized(x):
    f=np.vectorize(lambda v,w: v*w if v>w else math.exp(v)); return f(x,0.6)

def dot_methods(x):
    A=np.eye(4)[:, ::-1].copy(); A[0]=x[:4]; return A.dot(x[:4])+x[:4].dot(A)+A.T.sum(1)+A.mean()+A.std()+A.ravel()[3]

def try_except(x):
    try:
        v=math.sqrt(x[0]-10)
    except ValueError:
        v=x[0]*2
    return v+x[1]

def bisect(x):
    lo,hi=0.0,3.0
    f=lambda t: t**2-x[0]
    for _ in range(60):
        mid=(lo+hi)/2
        if f(mid)>0: hi=mid
        else: lo=mid
    y=mid
    for _ in range(2): y=y-f(y)/(2*y)
    return y

def nanmeans(x):
    d=np.array([1.,np.nan,3.,4.,5.]); y=d*x[:5]; return np.nanmean(y)+np.nansum(y**2)+np.nanmax(y)+np.where(np.isnan(y),0,y).sum()

def block(x):
    B=np.block([[np.diag(x[:2]),np.ones((2,2))],[np.zeros((2,2)),x[2]*np.eye(2)]]); return np.linalg.inv(B+np.eye(4)*3).sum(0)

def swap(x):
    a=x.copy(); a[0],a[1]=a[1],a[0]; a[[2,3]]=a[[3,2]]; a[1:]*=a[:-1]; b=a; b+=1; return a*b

def molecular_dynamics(x):
    """Velocities drawn at random and updated in place, forces by np.add.at over the pairs within the cut-off."""
    rng = np.random.default_rng(3)
    g = np.arange(3)*4./3; pos = np.array(np.meshgrid(g, g, indexing="ij")).reshape(2, -1).T + rng.uniform(-.05, .05, (9, 2))
    vel = rng.normal(0, .3, (9, 2)); vel -= vel.mean(0)
    i, j = np.triu_indices(9, 1)
    for _ in range(4):
        d = pos[i] - pos[j]; d -= 4*np.round(d/4); r2 = (d*d).sum(1); near = r2 < 1.9**2
        s6 = ((x[0]+.3)**2/r2[near])**3; f = (24*x[1]*(2*s6**2 - s6)/r2[near])[:, None]*d[near]
        force = np.zeros_like(pos); np.add.at(force, i[near], f); np.subtract.at(force, j[near], f)
        vel += .005*force; pos += .01*vel; pos %= 4
    return np.append(pos[4], .5*(vel**2).sum())

def time_warping(x):
    """A table with borders at infinity, and the way back by np.argmin of a list."""
    a, b = np.sin(3*x), np.cos(x[::-1])**2
    D = np.full((len(a)+1, len(b)+1), np.inf); D[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)): D[i+1, j+1] = abs(a[i]-b[j]) + min([D[i, j+1], D[i+1, j], D[i, j]])
    way = []; i, j = len(a), len(b)
    while i > 0 and j > 0:
        way.append((a[i-1]-b[j-1])**2)
        step = np.argmin([D[i-1, j-1], D[i-1, j], D[i, j-1]])
        i, j = [(i-1, j-1), (i-1, j), (i, j-1)][step]
    return D[-1, -1], sum(way)/len(way)

def mean_field(x):
    m = np.full((3, 3), .1)
    for _ in range(3):
        new = np.empty_like(m)
        with np.nditer([m, new], flags=["multi_index"], op_flags=[["readonly"], ["writeonly"]]) as it:
            for old, out in it:
                i, j = it.multi_index
                out[...] = np.tanh(x[0]*(m[i-1, j] + m[(i+1)%3, j] + m[i, j-1] + m[i, (j+1)%3]) + .1*old + x[1]*i*j)
        m = new
    return m

class Vec3:
    def __init__(self, x, y, z): self.x, self.y, self.z = x, y, z
    def __add__(self, o): return Vec3(self.x+o.x, self.y+o.y, self.z+o.z)
    def __mul__(self, s): return Vec3(self.x*s, self.y*s, self.z*s)
    def __array__(self, dtype=None, copy=None): return np.array([self.x, self.y, self.z], dtype)

def vectors(x):
    v = Vec3(x[0], x[1], 1.) + Vec3(.5, x[2], x[3])*x[4]
    return x[:3]*v + np.asarray(v)**2, np.dot(np.array(v), x[2:])

def neighbours(x):
    """Compiled searches with constants beside what is differentiated."""
    if cKDTree is None: return x
    points = np.array([[0., 0], [1, .2], [.3, .9], [.7, .7]])
    _, who = cKDTree(points).query(np.array([[.1, .1], [.9, .8]]))
    return np.sqrt(((x[:2] - points[who])**2).sum(1))*x[2]
