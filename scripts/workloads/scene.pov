// scene.pov - three hundred spheres over a mirror floor, in a loop.
camera { location <0, 2, -8> look_at <0, 1, 0> }
light_source { <5, 9, -6> rgb 1 }
plane { y, 0 pigment { checker rgb 1 rgb 0.2 } finish { reflection 0.2 } }
#declare I = 0;
#while (I < 300)
    sphere {
        <mod(I, 20) - 10, 0.3 + mod(I * 7, 11) / 5, floor(I / 20) - 5>, 0.3
        pigment { rgb <mod(I, 3) / 2, mod(I, 5) / 4, 0.5> }
        finish { phong 0.8 reflection 0.3 }
    }
    #declare I = I + 1;
#end
